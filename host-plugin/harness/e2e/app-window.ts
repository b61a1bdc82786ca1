/**
 * The example app, opened once for all tests of a file, and what a person does in it.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { app, GUESTS, pictures } from './environment.js'
import { until } from './until.js'
import { Browser } from './webdriver.js'

/** The first start of a sidecar compiles it, on a machine that may be busy. */
const PATIENCE = 60_000

export let window: Browser

/** A window that lasts as long as the tests of the file. */
export function useApp(): void {
  beforeAll(async () => {
    window = await Browser.open(app(), GUESTS.app)
    await until('the list', async () => (await text('sidecar-sidecars-upper')).includes('Upper case'), PATIENCE)
  })
  afterAll(() => window?.close())
}

export function text(id: string): Promise<string> {
  return window.run((id) => document.querySelector(`[data-testid="${id}"]`)?.textContent ?? '', id)
}

export async function click(id: string): Promise<void> {
  const enabled = () => window.run((id) => !document.querySelector<HTMLButtonElement>(`[data-testid="${id}"]`)!.disabled, id)
  await until(`\`${id}\` to be enabled`, enabled, PATIENCE)
  await window.run((id) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`)!.click(), id)
}

export async function type(id: string, value: string): Promise<void> {
  const fill = (id: string, value: string) => {
    const field = document.querySelector<HTMLInputElement>(`[data-testid="${id}"]`)!
    field.value = value
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }
  await window.run(fill, id, value)
}

export async function shows(id: string, expected: RegExp): Promise<string> {
  let found = ''
  await until(`\`${id}\` to show ${expected}`, async () => expected.test((found = await text(id))), PATIENCE, () => found)
  return found
}

export async function picture(name: string): Promise<void> {
  writeFileSync(join(pictures(), `${name}.png`), await window.screenshot())
}

export async function start(name: string): Promise<void> {
  await click(`sidecar-sidecars-${name}`)
  await click('start')
}
