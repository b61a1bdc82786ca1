/**
 * Starts of the app that lead to no window: one that cannot be, because a capability of its window has a scope that cannot be read,
 * and one that is asked for something else.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { GUESTS, harness, need } from './environment.js'

/** How long the app may take to end by itself. */
const PATIENCE = 30_000

test('parity_41_a_scope_that_cannot_be_read_ends_the_start_with_its_entry', async () => {
  const executable = harness('debug')
  const { env } = need(executable, GUESTS.harness)
  const app = spawn(executable, ['broken'], { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: PATIENCE, killSignal: 'SIGKILL' })
  let errors = ''
  app.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code, signal] = await once(app, 'close')
  expect(errors).toContain('error: error deserializing scope: the scope entry `args` of the wasi-sidecar permissions is not usable: `args[0].validator`')
  expect([code, signal]).toEqual([1, null])
})

/** As the runtime starts it (`runtime/src/compile/child.rs`), but that nobody asks for anything. */
test('an_app_that_is_started_as_a_compile_child_opens_no_window', async () => {
  const executable = harness('debug')
  const { env } = need(executable, GUESTS.harness)
  const start = async (display: NodeJS.ProcessEnv, token: string) => {
    const options = { env: { ...display, WASI_SIDECAR_COMPILE_CHILD: token }, timeout: PATIENCE, killSignal: 'SIGKILL' } as const
    const app = spawn(executable, ['--wasi-sidecar-compile-child'], { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [app.stdout, app.stderr]) stream.setEncoding('latin1').on('data', (text: string) => (said += text))
    const [code, signal] = await once(app, 'close')
    return { code, signal, said }
  }
  // Where there is no display a window is a panic, and where there is one it stays.
  for (const display of [{}, { DISPLAY: env.DISPLAY!, HOME: env.HOME ?? '/' }]) {
    for (const token of ['a'.repeat(64), 'no token']) {
      expect(await start(display, token)).toEqual({ code: 1, signal: null, said: '' })
    }
  }
})
