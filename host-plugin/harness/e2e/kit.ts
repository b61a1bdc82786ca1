/**
 * What test scripts share inside the page, where it is the global `kit`. Each function is sent as its text, so it uses nothing
 * but what is global there.
 */
import type * as Core from '@tauri-apps/api/core'
import type * as Shell from '@tauri-apps/plugin-shell'
import type * as WasiSidecar from '../../guest-js/index.js'

declare global {
  interface Window {
    readonly __TAURI__: { readonly core: typeof Core; readonly shell: typeof Shell; readonly wasiSidecar: typeof WasiSidecar }
    /** Things that a script leaves for a later one. */
    left: Record<string, any>
  }
  var kit: Kit
}

/** All that a child did, in order for each stream. */
export interface Transcript {
  stdout: string[]
  stderr: string[]
  errors: string[]
  code: number | null
  signal: number | null
}

export const kit = {
  /** Lets a promise take so long and no longer. */
  async within<T>(promise: Promise<T>, what: string, patience = 30_000): Promise<T> {
    let timer = 0
    const late = new Promise<never>((_, reject) => {
      timer = window.setTimeout(() => reject(new Error(`waited ${patience} ms for ${what}`)), patience)
    })
    try {
      return await Promise.race([promise, late])
    } finally {
      clearTimeout(timer)
    }
  },

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms))
  },

  /** Asks until the answer is something other than undefined or false. */
  async until<T>(what: string, ask: () => T | Promise<T>, patience = 30_000): Promise<Exclude<T, undefined | false>> {
    const deadline = Date.now() + patience
    for (;;) {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>
      if (Date.now() > deadline) throw new Error(`waited ${patience} ms for ${what}`)
      await kit.pause(10)
    }
  },

  /** Makes a command of either plugin: `guests/NAME` and `fallbacks/NAME` are ours, `shell/NAME` is the shell plugin's. */
  command(program: string, args: string[] = [], options: object = {}): WasiSidecar.Command<string> {
    const { shell, wasiSidecar } = window.__TAURI__
    const name = program.replace(/^shell\//, '')
    if (name === program) return wasiSidecar.Command.sidecar(program, args, options)
    return shell.Command.create(name, args, options) as unknown as WasiSidecar.Command<string>
  },

  /** Resolves when the child of a command has ended. To be called before it is spawned. */
  closed(command: WasiSidecar.Command<any>): Promise<WasiSidecar.TerminatedPayload> {
    return kit.within(new Promise((resolve) => command.once('close', resolve)), 'the event `close`')
  },

  /** Runs a command to its end, writing to it what is given. */
  async transcript(program: string, args: string[] = [], options: object = {}): Promise<Transcript> {
    const command = kit.command(program, args, options)
    const [stdout, stderr, errors] = [[], [], []] as string[][]
    command.stdout.on('data', (line) => stdout!.push(line))
    command.stderr.on('data', (line) => stderr!.push(line))
    command.on('error', (text) => errors!.push(text))
    const closed = kit.closed(command)
    await command.spawn()
    const { code, signal } = await closed
    return { stdout: stdout!, stderr: stderr!, errors: errors!, code, signal }
  },

  /** The first piece of output that there is. */
  first(command: WasiSidecar.Command<string>): Promise<string> {
    return kit.within(new Promise((resolve) => command.stdout.once('data', resolve)), 'output')
  },

  /** Starts a child that never reads, and waits until it is past its start. */
  async spinning(program: string): Promise<WasiSidecar.Child> {
    const command = kit.command(program)
    const line = kit.first(command)
    const child = await command.spawn()
    if ((await line) !== 'spinning\n') throw new Error(`another line: ${await line}`)
    return child
  },

  /** What a promise rejects with. */
  async refusal(promise: Promise<unknown>): Promise<unknown> {
    return await kit.within(promise, 'a refusal').then(
      (value) => {
        throw new Error(`not refused: ${JSON.stringify(value)}`)
      },
      (reason) => reason
    )
  },

  /** Checks that bytes are those that `flood` writes from this place on. */
  checkFlood(bytes: Uint8Array, from: number): void {
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== 97 + ((from + i) % 26)) throw new Error(`byte ${from + i} is ${bytes[i]}`)
    }
  }
}

export type Kit = typeof kit

/** The script that makes the kit global in a page. */
export const KIT = `window.left = {}\nwindow.kit = { ${Object.values(kit).map(String).join(',\n')} }`
