/**
 * A host to test against: takes requests as they go over the wire, answers them, and sends what a child does. It speaks the dialect
 * of this plugin or of the shell plugin, so that one test can run against both packages.
 */
import { mockIPC } from '@tauri-apps/api/mocks'
import { vi } from 'vitest'

export type Dialect = 'wasi-sidecar' | 'shell'

export interface Request {
  /** The name without `plugin:…|`. */
  readonly command: string
  /** The JSON arguments; empty for a raw request. */
  readonly args: Record<string, any>
  /** The body of a raw request. */
  readonly body: Uint8Array
  readonly headers: Record<string, string>
}

export type Event =
  | { event: 'Stdout' | 'Stderr' | 'Error'; payload: string }
  | { event: 'Terminated'; payload: { code: number | null; signal: number | null; reason?: string | null } }

type Handler = (request: Request) => unknown

export const PID = 0x8000_0001

interface Internals {
  invoke(command: string, args: unknown, options?: { headers?: Record<string, string> }): Promise<unknown>
  runCallback(id: number, data: unknown): void
  callbacks: Map<number, unknown>
}

const internals = () => (globalThis as unknown as { __TAURI_INTERNALS__: Internals }).__TAURI_INTERNALS__

export class Host {
  readonly requests: Request[] = []
  private readonly handlers = new Map<string, Handler>()
  private readonly channels: { id: number; index: number }[] = []

  constructor(private readonly dialect: Dialect = 'wasi-sidecar') {
    mockIPC(() => {})
    internals().invoke = async (command, args, options) => this.handle(command, args, options?.headers ?? {})
    this.on('spawn', () => this.started(PID))
  }

  /** Answers a command; a handler may throw or return a promise. Without one the answer is `null`. */
  on(command: string, handler: Handler): this {
    this.handlers.set(command, handler)
    return this
  }

  /** The reply to `spawn`. */
  started(pid: number, backend = 'component'): unknown {
    return this.dialect === 'shell' ? pid : { pid, backend }
  }

  /** The requests of one command so far. */
  sent(command: string): Request[] {
    return this.requests.filter((request) => request.command === command)
  }

  /** The bytes of each acknowledgement so far. */
  acks(): number[] {
    return this.sent('ack').map(({ args }) => args.bytes)
  }

  /** Sends events in one message, or, to the shell plugin, in one message each. */
  emit(...events: Event[]): void {
    if (this.dialect === 'shell') for (const event of events) this.message(event)
    else this.message({ bytes: sizeOf(events), events })
  }

  /** Sends output lines on one stream. */
  stdout(...lines: string[]): void {
    this.emit(...lines.map((payload) => ({ event: 'Stdout' as const, payload })))
  }

  /** Sends the end of the child. */
  terminated(code: number | null = 0, signal: number | null = null): void {
    this.emit({ event: 'Terminated', payload: { code, signal } })
  }

  /** Sends a message as it is, to the child that was spawned last or to another. */
  message(message: unknown, child = this.channels.length - 1): void {
    const channel = this.channels[child]!
    internals().runCallback(channel.id, { message, index: channel.index++ })
  }

  /** Lets go of the channel, as the host does after the last message. */
  drop(child = this.channels.length - 1): void {
    const channel = this.channels[child]!
    internals().runCallback(channel.id, { end: true, index: channel.index })
  }

  /** How many callbacks Tauri keeps for the page. */
  callbacks(): number {
    return internals().callbacks.size
  }

  private handle(name: string, args: unknown, headers: Record<string, string>): unknown {
    const command = name.replace(`plugin:${this.dialect}|`, '')
    const request = { command, headers, ...overTheWire(args) }
    this.requests.push(request)
    if (command === 'spawn') this.channels.push({ id: Number(request.args.onEvent.split(':')[1]), index: 0 })
    return this.handlers.get(command)?.(request) ?? null
  }
}

function overTheWire(args: unknown): Pick<Request, 'args' | 'body'> {
  if (!(args instanceof Uint8Array)) return { args: JSON.parse(JSON.stringify(args)), body: new Uint8Array() }
  if (args.byteLength !== args.buffer.byteLength) throw new Error('a raw body must not be a view into something larger')
  return { args: {}, body: args.slice() }
}

function sizeOf(events: Event[]): number {
  const sizes = events.map(({ event, payload }) => (event === 'Stdout' || event === 'Stderr' ? Buffer.byteLength(payload) : 0))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Lets everything run that does not wait for a timer. */
export async function flush(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

/** Lets the macrotask after a spawn come: from now on, what nobody wants is dropped. */
export async function settle(): Promise<void> {
  await flush()
  vi.advanceTimersByTime(0)
  await flush()
}

/** A promise and the functions that settle it. */
export function deferred<T = unknown>(): { promise: Promise<T>; resolve(value: T): void; reject(reason: unknown): void } {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** `'pending'` or what became of a promise. */
export async function stateOf(promise: Promise<unknown>): Promise<string> {
  await flush()
  const settled = promise.then(
    () => 'resolved',
    () => 'rejected'
  )
  return Promise.race([settled, flush().then(() => 'pending')])
}
