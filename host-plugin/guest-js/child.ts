/**
 * The handle of a running child, and the list of all of them.
 */
import { invoke } from '@tauri-apps/api/core'
import { closeStdin, encode, writeStdin } from './stdin.js'
import type { Backend, ChildInfo, IOPayload, TerminatedPayload } from './types.js'

interface Origin {
  readonly backend: Backend
  readonly closed: Promise<TerminatedPayload>
}

/** What is known of a child because this page has started it. Kept apart, so that a handle has the shell plugin's constructor. */
const origins = new WeakMap<Child, Origin>()

/** Makes the handle of a child that was just started. */
export function adopt(pid: number, origin: Origin): Child {
  const child = new Child(pid)
  origins.set(child, origin)
  return child
}

/**
 * A running child: write to it, wait for it, kill it. {@link Command.spawn} makes it. Dropping it does nothing to the child.
 *
 * Each method rejects with a string that says what the host refused, such as that there is no such child (any more).
 *
 * @example
 * ```typescript
 * import { Command } from 'tauri-plugin-wasi-sidecar-api'
 * const child = await Command.sidecar('binaries/word-count').spawn()
 * await child.write('some words\n')
 * await child.closeStdin()
 * const { code } = await child.wait()
 * ```
 */
export class Child {
  /** The number by which the host knows the child. It is never a process id of the operating system's. */
  pid: number

  /**
   * Makes a handle of a number, for instance of one that {@link children} lists. It can do everything but {@link Child.wait}, and
   * does not know its {@link Child.backend}.
   *
   * @param pid - The number by which the host knows the child.
   *
   * @example
   * ```typescript
   * import { Child, children } from 'tauri-plugin-wasi-sidecar-api'
   * for (const { pid } of await children()) await new Child(pid).kill()
   * ```
   */
  constructor(pid: number) {
    this.pid = pid
  }

  /**
   * What runs behind this child, or `undefined` if this handle was not made by {@link Command.spawn}.
   *
   * @example
   * ```typescript
   * if (child.backend === 'native') console.warn('this child is not sandboxed')
   * ```
   */
  get backend(): Backend | undefined {
    return origins.get(this)?.backend
  }

  /**
   * Writes to the standard input of the child. What is written first arrives first, also when the promises are not awaited: later
   * writes wait in this page until the earlier ones were taken. Await them to hold a fast writer back.
   *
   * @param data - Text, which is sent as UTF-8, or bytes. It is copied, so a buffer can be reused at once.
   * @returns A promise that settles when the child has taken all of `data`.
   *
   * Rejects with a string if the child has ended or has closed its input, if {@link Child.closeStdin} came first, or if one of
   * the numbers is no byte.
   *
   * @example
   * ```typescript
   * await child.write('text\n')
   * await child.write(new Uint8Array([0, 1, 2]))
   * ```
   */
  async write(data: IOPayload | number[]): Promise<void> {
    await writeStdin(this.pid, encode(data))
  }

  /**
   * Closes the standard input of the child after everything that was written so far, so that it reads an end of file.
   *
   * @returns A promise that settles when it is closed; it rejects with a string if there is no such child.
   *
   * @example
   * ```typescript
   * child.write('the last line\n')
   * await child.closeStdin()
   * ```
   */
  async closeStdin(): Promise<void> {
    await closeStdin(this.pid)
  }

  /**
   * Waits until the child has ended, and tells how. It can be called at any time and as often as you like, also long after the end.
   * Nothing is taken from the output, so one who iterates it should do that first, or at the same time.
   *
   * @returns What the event `close` carries.
   *
   * Rejects with a string if this handle was not made by {@link Command.spawn}.
   *
   * @example
   * ```typescript
   * const { code, signal, reason } = await child.wait()
   * if (code !== 0) console.error(reason ?? `ended with code ${code}, signal ${signal}`)
   * ```
   */
  async wait(): Promise<TerminatedPayload> {
    const origin = origins.get(this)
    if (!origin) throw `only the handle that \`spawn\` returned can wait for child \`${this.pid}\``
    return await origin.closed
  }

  /**
   * Ends the child at once, whatever it does. The event `close` still comes. Killing a child that has ended is no error.
   *
   * @returns A promise that settles when the child is over; it rejects with a string if there never was such a child.
   *
   * @example
   * ```typescript
   * await child.kill()
   * ```
   */
  async kill(): Promise<void> {
    await invoke('plugin:wasi-sidecar|kill', { pid: this.pid })
  }
}

/**
 * Lists the children of this webview that run, including those that a page before this one has started.
 *
 * @returns What is known of each. Rejects with a string if the permission is missing.
 *
 * @example
 * ```typescript
 * import { children } from 'tauri-plugin-wasi-sidecar-api'
 * for (const { program, memory } of await children()) console.log(program, memory)
 * ```
 */
export async function children(): Promise<ChildInfo[]> {
  return await invoke('plugin:wasi-sidecar|list', {})
}
