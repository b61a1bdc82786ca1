/**
 * Runs sidecars from a Tauri webview: sandboxed WebAssembly components, with the API of `@tauri-apps/plugin-shell`. An application
 * that uses `Command` of that package changes the name in its imports, and gets besides it `Child.closeStdin`, `Child.wait`,
 * `for await` over output, a bounded memory, and bytes that are bytes.
 *
 * With `app.withGlobalTauri` in `tauri.conf.json` the same is in `window.__TAURI__.wasiSidecar`.
 *
 * @example
 * ```typescript
 * import { Command } from 'tauri-plugin-wasi-sidecar-api'
 * const command = Command.sidecar('binaries/word-count')
 * command.stdout.on('data', (line) => console.log(line))
 * const child = await command.spawn()
 * await child.write('some words\n')
 * await child.closeStdin()
 * const { code } = await child.wait()
 * ```
 *
 * @packageDocumentation
 */
export { Child, children } from './child.js'
export { Command } from './command.js'
export { EventEmitter } from './emitter.js'
export { onStatus, status } from './status.js'
export type { SidecarStatus } from './status.js'
export type { OutputStream } from './output.js'
export type {
  Backend,
  ChildInfo,
  ChildProcess,
  CommandEvents,
  CommandOptions,
  IOPayload,
  OutputEvents,
  SpawnOptions,
  TerminatedPayload
} from './types.js'
