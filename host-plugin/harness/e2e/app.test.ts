/**
 * The example app, driven through what it is for, as a person would: pick a sidecar, see what it holds, start it, talk to it, kill
 * it, and drop a file. Leaves pictures.
 */
import { test } from 'vitest'
import { click, picture, shows, start, type, useApp, window } from './app-window.js'
import { bundled } from './environment.js'

useApp()

test('a race tells how long a start takes, of component and native fallback', async () => {
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
  await window.run(drop, bundled('word-count').toString('base64'), 'stranger.wasm')
  await shows('drop-result', /filesystem/)
  await picture('dropped')
  await click('run-dropped')
  await type('args', '/notes')
  await click('start')
  await shows('stdout', /"total":\{"files":3/)
})
