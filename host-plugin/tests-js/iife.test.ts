/**
 * PARITY 37: the script that the crate puts into webviews of applications with the global API.
 */
import { readFileSync } from 'node:fs'
import * as core from '@tauri-apps/api/core'
import * as event from '@tauri-apps/api/event'
import { type OutputOptions, rollup, type RollupOptions } from 'rollup'
import { expect, test } from 'vitest'
import * as api from '../guest-js/index.js'
import builds from '../rollup.config.js'
import { Host, PID, settle } from './support/host.js'

const script = readFileSync(new URL('../api-iife.js', import.meta.url), 'utf8')

/** Runs the script with a `window` of its own. */
function load(window: object): any {
  new Function('window', script)(window)
  return window
}

test('parity_37_the_global_has_all_that_the_package_exports', () => {
  const { __TAURI__ } = load({ __TAURI__: { core, event } })
  expect(Object.keys(__TAURI__.wasiSidecar).sort()).toEqual(Object.keys(api).sort())
})

test('parity_37_the_global_works', async () => {
  const host = new Host()
  const { __TAURI__ } = load({ __TAURI__: { core, event } })
  const command = __TAURI__.wasiSidecar.Command.sidecar('name')
  const lines: string[] = []
  command.stdout.on('data', (line: string) => lines.push(line))
  const child = await command.spawn()
  host.stdout('a\n')
  host.terminated(0)
  await settle()
  expect([child.pid, lines, await child.wait()]).toEqual([PID, ['a\n'], { code: 0, signal: null }])
})

test('parity_37_without_the_global_api_nothing_happens', () => {
  expect(load({})).toEqual({})
})

test('parity_37_the_committed_script_is_that_of_the_sources', async () => {
  const build = builds.at(-1) as RollupOptions & { output: OutputOptions }
  const bundle = await rollup(build)
  const { output } = await bundle.generate(build.output)
  await bundle.close()
  // Not `toBe`, which would print both scripts.
  expect(script === output[0].code, 'run `npm run build`, and commit api-iife.js').toBe(true)
}, 30_000)
