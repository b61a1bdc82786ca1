/**
 * How far the machine code of a sidecar is: a component is compiled before its first start, which can take seconds.
 */
import { invoke } from '@tauri-apps/api/core'
import { listen, type UnlistenFn } from '@tauri-apps/api/event'

/** How far a sidecar's code is. */
export interface SidecarStatus {
  /** The name it is configured by. */
  name: string
  /**
   * `not-asked`: nobody has started or preloaded it. `queued`: its code is looked for, or waits for its turn. `compiling`: for
   * {@link SidecarStatus.elapsed}. `ready`: a start does not wait. `failed`: it cannot be compiled here. `native`: its native fallback
   * runs, which needs no code.
   */
  status: 'not-asked' | 'queued' | 'compiling' | 'ready' | 'failed' | 'native'
  /** Milliseconds since compiling began, while it goes on. */
  elapsed?: number
  /** Where the code of one that is ready came from. */
  origin?: 'compiled' | 'cache' | 'ahead-of-time'
  /** Why one has failed. */
  error?: string
}

/**
 * Asks how far a sidecar's code is.
 *
 * @param program The name it is configured by, or the last part of it.
 *
 * @returns Its status. Rejects with a string if there is no such sidecar, or the permission is missing.
 *
 * @example
 * ```typescript
 * import { status } from 'tauri-plugin-wasi-sidecar-api'
 * if ((await status('binaries/word-count')).status === 'compiling') console.log('one moment')
 * ```
 */
export async function status(program: string): Promise<SidecarStatus> {
  return await invoke('plugin:wasi-sidecar|status', { program })
}

/**
 * Calls a handler whenever the status of any sidecar changes. It needs the permission `core:event:allow-listen`.
 *
 * @returns A function that ends it.
 *
 * @example
 * ```typescript
 * import { onStatus } from 'tauri-plugin-wasi-sidecar-api'
 * const stop = await onStatus(({ name, status }) => console.log(name, status))
 * stop()
 * ```
 */
export async function onStatus(handler: (status: SidecarStatus) => void): Promise<UnlistenFn> {
  return await listen<SidecarStatus>('wasi-sidecar://status', ({ payload }) => handler(payload))
}
