/**
 * Writing to a child. Requests of a webview can overtake each other, so each child has one in flight at a time; what is written
 * meanwhile waits, and goes with the next one. The order holds for all handles of a child, and closing keeps its place in it.
 */
import { invoke } from '@tauri-apps/api/core'

/**
 * The most bytes of one request. Large enough that the cost of a request does not matter, and small enough that the copies that
 * the webview and the host make of it do not either.
 */
export const MAX_REQUEST = 1024 * 1024

interface Write {
  readonly bytes: Uint8Array
  /** How many of them were put into a request. */
  sent: number
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

interface Close extends Pick<Write, 'resolve' | 'reject'> {
  readonly bytes: null
}

type Entry = Write | Close

/** The children that have requests in flight. An entry goes when its queue is empty. */
const queues = new Map<number, Entry[]>()

/** Writes bytes, which must not change any more. Settles when the child has taken all of them, or with the host's refusal. */
export function writeStdin(pid: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => enqueue(pid, { bytes, sent: 0, resolve, reject }))
}

/** Closes the standard input after everything that was written before. */
export function closeStdin(pid: number): Promise<void> {
  return new Promise((resolve, reject) => enqueue(pid, { bytes: null, resolve, reject }))
}

/**
 * Makes bytes of what a caller may write. They are a copy, so that who does not wait can reuse the buffer.
 *
 * @throws a string, as everything that the host refuses, if a number is no byte.
 */
export function encode(data: string | Uint8Array | number[]): Uint8Array {
  if (typeof data === 'string') return new TextEncoder().encode(data)
  if (Array.isArray(data)) {
    const wrong = data.findIndex((byte) => !Number.isInteger(byte) || byte < 0 || byte > 255)
    if (wrong >= 0) throw `\`${data[wrong]}\` at index ${wrong} is not a byte; give whole numbers from 0 to 255`
  } else if (!(data instanceof Uint8Array)) {
    throw 'only a string, a `Uint8Array` or a list of numbers can be written'
  }
  return new Uint8Array(data)
}

function enqueue(pid: number, entry: Entry): void {
  const queue = queues.get(pid)
  if (queue) {
    queue.push(entry)
    return
  }
  const fresh = [entry]
  queues.set(pid, fresh)
  void drain(pid, fresh)
}

async function drain(pid: number, queue: Entry[]): Promise<void> {
  while (queue[0]) {
    const [request, entries] = queue[0].bytes ? nextWrite(pid, queue) : nextClose(pid, queue)
    try {
      await request
      for (const entry of entries) if (isDone(entry)) entry.resolve()
    } catch (reason) {
      for (const entry of entries) entry.reject(reason)
      // The rest of a long write has lost its beginning.
      if (queue[0] && queue[0] === entries[entries.length - 1]) queue.shift()
    }
  }
  queues.delete(pid)
}

/** Sends as much of what is at the head of the queue as one request may hold, and takes the entries that are all sent off it. */
function nextWrite(pid: number, queue: Entry[]): [Promise<unknown>, Entry[]] {
  const entries: Write[] = []
  const pieces: Uint8Array[] = []
  let total = 0
  for (const entry of queue) {
    if (!entry.bytes || total === MAX_REQUEST) break
    const piece = entry.bytes.subarray(entry.sent, entry.sent + MAX_REQUEST - total)
    entry.sent += piece.length
    total += piece.length
    entries.push(entry)
    pieces.push(piece)
  }
  queue.splice(0, entries.filter(isDone).length)
  const headers = { 'Wasi-Sidecar-Pid': String(pid) }
  return [invoke('plugin:wasi-sidecar|stdin_write', join(pieces, total), { headers }), entries]
}

function nextClose(pid: number, queue: Entry[]): [Promise<unknown>, Entry[]] {
  return [invoke('plugin:wasi-sidecar|close_stdin', { pid }), queue.splice(0, 1)]
}

function isDone(entry: Entry): boolean {
  return !entry.bytes || entry.sent === entry.bytes.length
}

/** One buffer without slack around it, since the ways around a blocked IPC protocol may send all that lies under a view. */
function join(pieces: Uint8Array[], total: number): Uint8Array {
  const body = new Uint8Array(total)
  let at = 0
  for (const piece of pieces) {
    body.set(piece, at)
    at += piece.length
  }
  return body
}
