/**
 * The streams `stdout` and `stderr` of a command: emitters that can be iterated as well. Events go to listeners at once; an iterator
 * keeps them, and with them the acknowledgement of their message, until it is asked.
 */
import type { Receipt } from './credit.js'
import { EventEmitter } from './emitter.js'
import type { IOPayload, OutputEvents } from './types.js'

/**
 * The standard output or error of a command's children. It emits `data`, and can be iterated.
 *
 * An iterator sees what comes after it was made. It ends when no child of the command runs any more and everything was handed
 * out. While it is not asked for more, the child is held back: nothing is lost, and memory stays bounded. Leaving a `for await`
 * loop (or calling `return()`) lets the child go on. Several iterators each see everything, and so do listeners beside them; the
 * slowest iterator sets the pace. An iterator that is never asked holds the child back for ever.
 *
 * Begin right after `await command.spawn()`, or make the iterator before: what comes while nobody wants it is dropped.
 *
 * @example
 * ```typescript
 * import { Command } from 'tauri-plugin-wasi-sidecar-api'
 * const command = Command.sidecar('binaries/word-count', ['notes.txt'])
 * await command.spawn()
 * for await (const line of command.stdout) console.log(line)
 * ```
 *
 * @example With something to do between the start and the loop:
 * ```typescript
 * const lines = command.stdout[Symbol.asyncIterator]()
 * const child = await command.spawn()
 * await child.write('some words\n')
 * await child.closeStdin()
 * for await (const line of lines) console.log(line)
 * ```
 */
export interface OutputStream<O extends IOPayload> extends EventEmitter<OutputEvents<O>> {
  /** Starts to keep what the children write, for the one who asks the iterator. */
  [Symbol.asyncIterator](): AsyncIterableIterator<O>
}

/** The one implementation of {@link OutputStream}, with the side that a session writes to. */
export class Output<O extends IOPayload> extends EventEmitter<OutputEvents<O>> implements OutputStream<O> {
  private readonly readers = new Set<Reader<O>>()
  private running = 0
  private used = false

  /** Whether somebody wants what the children write. */
  get wanted(): boolean {
    return this.readers.size > 0 || this.listenerCount('data') > 0
  }

  /** A child is being started. */
  open(): void {
    this.used = true
    this.running += 1
  }

  /** A child is over: there will be no more of it. */
  close(): void {
    this.running -= 1
    if (this.running > 0) return
    for (const reader of this.readers) reader.end()
    this.readers.clear()
  }

  /** Hands an event to everybody who wants it. An iterator holds the receipt until it has handed the event out. */
  push(value: O, receipt: Receipt): void {
    this.emit('data', value)
    for (const reader of this.readers) reader.push(value, receipt)
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<O> {
    const reader: Reader<O> = new Reader(() => this.readers.delete(reader))
    if (this.used && this.running === 0) reader.end()
    else this.readers.add(reader)
    return reader
  }
}

interface Entry<O> {
  readonly value: O
  readonly receipt: Receipt
  next?: Entry<O>
}

/** One iterator. What was not handed out yet is a linked list, so that a million short lines cost no more than one long one. */
class Reader<O> implements AsyncIterableIterator<O> {
  private head: Entry<O> | undefined
  private tail: Entry<O> | undefined
  private readonly askers: ((result: IteratorResult<O>) => void)[] = []
  private ended = false

  constructor(private readonly detach: () => void) {}

  [Symbol.asyncIterator](): this {
    return this
  }

  push(value: O, receipt: Receipt): void {
    const asker = this.askers.shift()
    if (asker) {
      asker({ done: false, value })
      return
    }
    receipt.hold()
    const entry: Entry<O> = { value, receipt }
    if (this.tail) this.tail.next = entry
    else this.head = entry
    this.tail = entry
  }

  end(): void {
    this.ended = true
    for (const asker of this.askers.splice(0)) asker({ done: true, value: undefined })
  }

  next(): Promise<IteratorResult<O>> {
    const entry = this.take()
    if (entry) return Promise.resolve({ done: false, value: entry.value })
    if (this.ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.askers.push(resolve))
  }

  return(value?: unknown): Promise<IteratorResult<O>> {
    this.detach()
    this.end()
    while (this.take());
    return Promise.resolve({ done: true, value })
  }

  private take(): Entry<O> | undefined {
    const entry = this.head
    if (!entry) return undefined
    this.head = entry.next
    if (!this.head) this.tail = undefined
    entry.receipt.release()
    return entry
  }
}
