/**
 * What the host sends, decoded: the messages of a child's channel and the reply to `execute`. Bytes come as an `ArrayBuffer`; the
 * ways around a blocked IPC protocol make number arrays of them, so each form is taken everywhere.
 */
import type { ChildProcess, IOPayload, TerminatedPayload } from './types.js'

/** Something that happened to a child. */
export type ChildEvent<O extends IOPayload> =
  | { event: 'Stdout' | 'Stderr'; payload: O }
  | { event: 'Error'; payload: string }
  | { event: 'Terminated'; payload: TerminatedPayload }

/** One message of the channel. */
export interface Batch<O extends IOPayload> {
  /** Bytes of output in it: what the host wants acknowledged. */
  bytes: number
  /** In the order they happened. */
  events: ChildEvent<O>[]
}

/** The first byte of a message of raw output. */
const STREAMS = { 1: 'Stdout', 2: 'Stderr' } as const

/** Decodes a message of the channel. The host and this package are of one version, so its shape is taken on trust. */
export function decodeBatch<O extends IOPayload>(message: unknown): Batch<O> {
  const raw = asBytes(message)
  if (!raw) return message as Batch<O>
  const event = STREAMS[raw[0] as keyof typeof STREAMS]
  // Only the encoding `raw` sends bytes, and then `O` is `Uint8Array`.
  const payload = raw.subarray(1) as IOPayload as O
  return { bytes: payload.length, events: event ? [{ event, payload }] : [] }
}

/**
 * Decodes the reply to `execute` with the encoding `raw`: a length (32 bits, little endian), so many bytes of JSON, and then the
 * two outputs, where the JSON's `stdout` is the length of the first.
 */
export function decodeOutput(reply: unknown): ChildProcess<Uint8Array> {
  const raw = asBytes(reply)
  if (!raw) throw new TypeError('the reply to `execute` holds no bytes')
  const header = 4 + new DataView(raw.buffer, raw.byteOffset).getUint32(0, true)
  const { code, signal, reason, stdout } = JSON.parse(new TextDecoder().decode(raw.subarray(4, header)))
  const middle = header + stdout
  return { code, signal, reason, stdout: raw.subarray(header, middle), stderr: raw.subarray(middle) }
}

function asBytes(data: unknown): Uint8Array | undefined {
  if (data instanceof Uint8Array) return data
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  if (Array.isArray(data)) return Uint8Array.from(data as number[])
  return undefined
}
