/**
 * An app that cannot start, because a capability of one of its windows has a scope that cannot be read.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { harness, need } from './environment.js'

/** How long the app may take to end by itself. */
const PATIENCE = 30_000

test('parity_41_a_scope_that_cannot_be_read_ends_the_start_with_its_entry', async () => {
  const executable = harness('debug')
  const { env } = need(executable)
  const app = spawn(executable, ['broken'], { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: PATIENCE, killSignal: 'SIGKILL' })
  let errors = ''
  app.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code, signal] = await once(app, 'close')
  expect(errors).toContain('error: error deserializing scope: the scope entry `args` of the wasi-sidecar permissions is not usable: `args[0].validator`')
  expect([code, signal]).toEqual([1, null])
})
