/**
 * The two packages that must behave alike, for tests that are a table over both.
 */
import * as shell from '@tauri-apps/plugin-shell'
import * as ours from '../../guest-js/index.js'
import type { Dialect } from './host.js'

type Api = Pick<typeof shell, 'Child' | 'Command' | 'EventEmitter'>

export const packages: { name: string; dialect: Dialect; api: Api }[] = [
  // The shapes are compared in types.test-d.ts; here only the private members differ.
  { name: 'tauri-plugin-wasi-sidecar-api', dialect: 'wasi-sidecar', api: ours as unknown as Api },
  { name: '@tauri-apps/plugin-shell', dialect: 'shell', api: shell }
]
