/**
 * What becomes of native fallbacks when the app ends. Components are no processes: they end with it by nature.
 */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Session } from './session.js'
import { until } from './until.js'

const session = new Session()
beforeEach(() => session.open())
afterEach(() => session.close())

const HARNESS = 'webview-harness'
const PATIENCE = 10_000

async function start(): Promise<void> {
  await session.run(async () => {
    await Promise.all(['fallbacks/spin', 'fallbacks/spin', 'guests/spin'].map((program) => kit.spinning(program)))
  })
  await session.browser.processes.count('spin', 2)
}

test('parity_21_native_fallbacks_end_when_the_last_window_is_closed', async () => {
  const { processes } = session.browser
  await start()
  // The page that asks for it does not live to see the answer.
  await session.run(() => void window.__TAURI__.core.invoke('close_window', { label: 'main' })).catch(() => {})
  await until('the harness to end', () => processes.running(HARNESS).length === 0, PATIENCE)
  expect(processes.running('spin')).toEqual([])
})

/** A driver kills the app, as the system does that is out of memory: nothing of ours runs then, but its pipes are closed. */
test('parity_21_a_native_fallback_that_reads_ends_when_the_app_is_killed', async () => {
  const { processes } = session.browser
  await session.run(async () => {
    const command = kit.command('fallbacks/echo')
    const line = kit.first(command)
    const child = await command.spawn()
    await child.write('here\n')
    await line
  })
  await processes.count('echo', 1)
  await session.browser.quit()
  await until('the harness to end', () => processes.running(HARNESS).length === 0, PATIENCE)
  await processes.count('echo', 0)
})

/** Of guests nothing has to be waited for, whether they compute or wait. */
test('attacks_129_an_app_ends_within_three_seconds_whatever_its_guests_do', async () => {
  const { processes } = session.browser
  await session.run(async () => {
    const busy = Array.from({ length: 25 }, () => kit.spinning('guests/spin'))
    const blocked = Array.from({ length: 25 }, async () => {
      const command = kit.command('guests/echo')
      const line = kit.first(command)
      const child = await command.spawn()
      await child.write('here\n')
      await line
    })
    await Promise.all([...busy, ...blocked])
  })
  // Its answer is not waited for first: it can take the driver many seconds to find that there is nobody left to give one.
  const asked = session.run(() => void window.__TAURI__.core.invoke('close_window', { label: 'main' })).catch(() => {})
  await until('the harness to end', () => processes.running(HARNESS).length === 0, 3_000)
  await asked
})
