/**
 * The example app, driven through what it is for, as a person would: pick a sidecar, see what it holds, start it, talk to it, kill
 * it, and drop a file. Leaves pictures.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, test } from 'vitest'
import { app, component, pictures } from './environment.js'
import { until } from './until.js'
import { Browser } from './webdriver.js'

/** The first start of a sidecar compiles it, on a machine that may be busy. */
const PATIENCE = 60_000

let window: Browser

beforeAll(async () => {
  window = await Browser.open(app())
  await until('the list', async () => (await text('sidecar-sidecars-upper')).includes('Upper case'), PATIENCE)
})
afterAll(() => window?.close())

function text(id: string): Promise<string> {
  return window.run((id) => document.querySelector(`[data-testid="${id}"]`)?.textContent ?? '', id)
}

async function click(id: string): Promise<void> {
  const enabled = () => window.run((id) => !document.querySelector<HTMLButtonElement>(`[data-testid="${id}"]`)!.disabled, id)
  await until(`\`${id}\` to be enabled`, enabled, PATIENCE)
  await window.run((id) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`)!.click(), id)
}

async function type(id: string, value: string): Promise<void> {
  const fill = (id: string, value: string) => {
    const field = document.querySelector<HTMLInputElement>(`[data-testid="${id}"]`)!
    field.value = value
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }
  await window.run(fill, id, value)
}

async function shows(id: string, expected: RegExp): Promise<string> {
  let found = ''
  await until(`\`${id}\` to show ${expected}`, async () => expected.test((found = await text(id))), PATIENCE, () => found)
  return found
}

async function picture(name: string): Promise<void> {
  writeFileSync(join(pictures(), `${name}.png`), await window.screenshot())
}

async function start(name: string): Promise<void> {
  await click(`sidecar-sidecars-${name}`)
  await click('start')
}

test('a component answers, and its native twin does the same', async () => {
  for (const [name, backend] of [['upper', 'component'], ['upper-native', 'native']]) {
    await start(name!)
    await shows('status', new RegExp(`running as ${backend}`))
    await type('stdin', 'hello from the page')
    await click('send')
    await shows('stdout', /HELLO FROM THE PAGE/)
    if (name === 'upper') await picture('talking')
    await click('close-stdin')
    await shows('status', /exited 0/)
    await shows('first-byte', /\d.* ms/)
  }
})

test('a race tells how long a start takes, of component and native twin', async () => {
  await click('sidecar-sidecars-upper')
  await click('race')
  await shows('race-result', /\d.*ms[^]*\d.*ms/)
  await picture('race')
})

test('a granted folder is read, and a denied access is shown', async () => {
  await start('word-count')
  await shows('stdout', /"total":\{"files":3/)
  await shows('status', /exited 0/)
  await picture('granted')
  await start('fs-probe')
  await shows('notice', /refused/)
  await shows('stdout', /not-permitted/)
  await picture('denied')
})

test('limits, traps and kills end a sidecar, and the app goes on', async () => {
  await start('memory-hog')
  await shows('status', /out of memory/)
  await picture('limit')
  await start('trap')
  await shows('status', /trapped/)
  await shows('notice', /unreachable/)
  await picture('trap')
  await start('spin')
  await shows('cpu', /\d\.?\d* s/)
  await picture('computing')
  await click('kill')
  await shows('status', /killed/)
})

test('many lines are shown, and all of them arrive', async () => {
  await start('lines')
  await shows('status', /exited 0/)
  await shows('stdout', /line 200000 /)
  await picture('lines')
})

test('a dropped file tells what it asks for before it runs', async () => {
  const drop = async (base64: string, name: string) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    const files = new DataTransfer()
    files.items.add(new File([bytes], name))
    const input = document.querySelector<HTMLInputElement>('[data-testid="drop-input"]')!
    input.files = files.files
    input.dispatchEvent(new Event('change', { bubbles: true }))
  }
  await window.run(drop, Buffer.from('#!/bin/sh\necho no component\n').toString('base64'), 'script.wasm')
  await shows('drop-result', /This is not a sidecar[^]*script/)
  await window.run(drop, component('word-count').toString('base64'), 'stranger.wasm')
  await shows('drop-result', /filesystem/)
  await picture('dropped')
  await click('run-dropped')
  await type('args', '/notes')
  await click('start')
  await shows('stdout', /"total":\{"files":3/)
})
