/**
 * What to run and how: the class an application starts with.
 */
import { Channel, invoke } from '@tauri-apps/api/core'
import { adopt, type Child } from './child.js'
import { EventEmitter } from './emitter.js'
import { decodeOutput } from './messages.js'
import { Output, type OutputStream } from './output.js'
import { Session } from './session.js'
import type { Backend, ChildProcess, CommandEvents, CommandOptions, IOPayload } from './types.js'

/**
 * A program with its arguments and options, to be started with {@link Command.spawn} or {@link Command.execute}, any number of times.
 * It emits `close` and `error`; its streams emit `data` and can be iterated. The events of all its children come together here.
 *
 * @example
 * ```typescript
 * import { Command } from 'tauri-plugin-wasi-sidecar-api'
 * const command = Command.sidecar('binaries/word-count', ['--watch'])
 * command.on('close', ({ code }) => console.log(`ended with ${code}`))
 * command.on('error', (error) => console.error(error))
 * command.stdout.on('data', (line) => console.log(line))
 * const child = await command.spawn()
 * ```
 */
export class Command<O extends IOPayload> extends EventEmitter<CommandEvents> {
  /** What the children write to their standard output. Emits `data`, and can be iterated. */
  readonly stdout: OutputStream<O>
  /** What the children write to their standard error. Emits `data`, and can be iterated. */
  readonly stderr: OutputStream<O>

  private readonly program: string
  private readonly args: readonly string[]
  private readonly options: Readonly<CommandOptions>

  private constructor(program: string, args: string | string[], options: CommandOptions) {
    super()
    this.stdout = new Output<O>()
    this.stderr = new Output<O>()
    this.program = program
    // Copies, so that nothing of the caller's is frozen or changed. `null` is for the host to judge, as in the shell plugin.
    this.args = typeof args === 'string' ? Object.freeze([args]) : args && Object.freeze([...args])
    const env = options.env && { env: Object.freeze({ ...options.env }) }
    this.options = Object.freeze({ ...options, ...env, batch: true })
  }

  /**
   * Makes a command of a name in the scope of this webview. The host decides whether something that is not configured as a
   * sidecar may run at all.
   *
   * @param program - The `name` of an entry in the scope.
   * @param args - One argument or a list; none when it is left out. They must fit the entry.
   * @param options - How to start it. With `encoding: 'raw'` output comes as bytes.
   * @returns A command that was not started yet.
   *
   * @example
   * ```typescript
   * import { Command } from 'tauri-plugin-wasi-sidecar-api'
   * const { stdout } = await Command.create('word-count', ['notes.txt']).execute()
   * ```
   */
  static create(program: string, args?: string | string[]): Command<string>
  /** The same, with output as bytes: a `Uint8Array` for each piece. */
  static create(program: string, args?: string | string[], options?: CommandOptions & { encoding: 'raw' }): Command<Uint8Array>
  /** The same, with options that say how to start it and which encoding its text has. */
  static create(program: string, args?: string | string[], options?: CommandOptions): Command<string>
  static create(program: string, args: string | string[] = [], options?: CommandOptions): Command<IOPayload> {
    return new Command(program, args, { sidecar: false, ...options } as CommandOptions)
  }

  /**
   * Makes a command of a configured sidecar.
   *
   * @param program - Its name, as in `tauri.conf.json`.
   * @param args - One argument or a list; none when it is left out. They must fit the entry in the scope.
   * @param options - How to start it. With `encoding: 'raw'` output comes as bytes.
   * @returns A command that was not started yet.
   *
   * @example
   * ```typescript
   * import { Command } from 'tauri-plugin-wasi-sidecar-api'
   * const command = Command.sidecar('binaries/word-count', ['notes.txt'], { encoding: 'raw' })
   * const { stdout } = await command.execute() // a Uint8Array
   * ```
   */
  static sidecar(program: string, args?: string | string[]): Command<string>
  /** The same, with output as bytes: a `Uint8Array` for each piece. */
  static sidecar(program: string, args?: string | string[], options?: CommandOptions & { encoding: 'raw' }): Command<Uint8Array>
  /** The same, with options that say how to start it and which encoding its text has. */
  static sidecar(program: string, args?: string | string[], options?: CommandOptions): Command<string>
  static sidecar(program: string, args: string | string[] = [], options?: CommandOptions): Command<IOPayload> {
    return new Command(program, args, { ...options, sidecar: true } as CommandOptions)
  }

  /**
   * Starts a child. Listeners that are there before miss nothing. Neither do those that are added, nor loops that are begun, right
   * after this promise was awaited: events that nobody wants are kept until one macrotask after it. What nobody wants later is
   * dropped, so that the child can go on.
   *
   * @returns The handle of the child.
   *
   * Rejects with a string if the host does not start it: no permission, arguments that do not fit, nothing to run. No event comes
   * then.
   *
   * @example
   * ```typescript
   * const child = await command.spawn()
   * for await (const line of command.stdout) console.log(line)
   * const { code } = await child.wait()
   * ```
   */
  async spawn(): Promise<Child> {
    const onEvent = new Channel<unknown>()
    const outlets = { command: this, stdout: this.stdout as Output<O>, stderr: this.stderr as Output<O> }
    const session = new Session<O>(outlets, () => silence(onEvent))
    onEvent.onmessage = (message) => session.receive(message)
    onEnd(onEvent, () => session.lost())
    const { program, args, options } = this
    try {
      const request = { program, args, options, onEvent }
      const { pid, backend } = await invoke<{ pid: number; backend: Backend }>('plugin:wasi-sidecar|spawn', request)
      session.started(pid)
      return adopt(pid, { backend, closed: session.closed })
    } catch (reason) {
      session.refused()
      throw reason
    }
  }

  /**
   * Runs a child to its end with an empty standard input, and collects what it writes. No event is emitted.
   *
   * @returns How it ended, and its output. A code other than 0 is a result, not an error.
   *
   * Rejects with a string if the host does not start it, if it writes more than the host collects, or if its output is not valid
   * in the encoding.
   *
   * @example
   * ```typescript
   * import { Command } from 'tauri-plugin-wasi-sidecar-api'
   * const { code, stdout, stderr } = await Command.sidecar('binaries/word-count', ['notes.txt']).execute()
   * if (code !== 0) throw new Error(stderr)
   * ```
   */
  async execute(): Promise<ChildProcess<O>> {
    const { program, args, options } = this
    const reply = await invoke('plugin:wasi-sidecar|execute', { program, args, options })
    return (options.encoding === 'raw' ? decodeOutput(reply) : reply) as ChildProcess<O>
  }
}

/**
 * Has a channel hold nothing of its command any more, since Tauri keeps it until the host lets go of it. The function that is put
 * in is one of the module, as one made in `spawn` would hold what is around it.
 */
function silence(channel: Channel<unknown>): void {
  channel.onmessage = ignore
  onEnd(channel, ignore)
}

function ignore(): void {}

/**
 * Has `ended` called when the host lets go of a channel and all of its messages were delivered. Tauri has no public signal for it;
 * should it rename this method, only a child that is lost without a last event goes unnoticed.
 */
function onEnd(channel: Channel<unknown>, ended: () => void): void {
  const hook = channel as unknown as { cleanupCallback?: () => void }
  const cleanup = (Object.getPrototypeOf(channel) as typeof hook).cleanupCallback
  if (typeof cleanup !== 'function') return
  hook.cleanupCallback = () => {
    cleanup.call(channel)
    ended()
  }
}
