/**
 * A newly created app with the files of the plugin's README: its page has started a sidecar, and so has its Rust.
 */
import { afterAll, beforeAll, test } from 'vitest'
import { app, GUESTS } from './environment.js'
import { until } from './until.js'
import { Browser } from './webdriver.js'

let window: Browser

beforeAll(async () => {
  window = await Browser.open(app(), GUESTS.app)
})
afterAll(() => window?.close())

test('the quick start of the README does what it says', async () => {
  const body = () => window.run(() => document.body.textContent ?? '')
  await until('the answer', async () => /HELLO FROM THE PAGE\n?exit code 0/.test(await body()), 60_000)
  await until('the answer to Rust', () => window.output.includes('HELLO FROM RUST\nexit code Some(0)'), 60_000, () => window.output)
})
