/**
 * PARITY 32: output is acknowledged once it is consumed, so that what a page has not consumed stays bounded.
 */
import { expect, test, vi } from 'vitest'
import { Command } from '../guest-js/index.js'
import { deferred, flush, Host, PID, settle } from './support/host.js'

const KIB = 1024
const block = (kib: number) => 'x'.repeat(kib * KIB)

async function spawned(): Promise<{ host: Host; command: Command<string> }> {
  const host = new Host()
  const command = Command.sidecar('name')
  await command.spawn()
  return { host, command }
}

test('parity_32_acknowledges_from_128_kib_on', async () => {
  const { host, command } = await spawned()
  command.stdout.on('data', () => {})
  await settle()
  host.stdout(block(127))
  host.stdout('x'.repeat(KIB - 1))
  expect(host.acks()).toEqual([])
  host.stdout('x')
  expect(host.sent('ack').map(({ args }) => args)).toEqual([{ pid: PID, bytes: 128 * KIB }])
  host.stdout(block(300))
  host.stdout(block(127))
  expect(host.acks()).toEqual([128 * KIB, 300 * KIB])
})

test('parity_32_counts_what_the_host_counts', async () => {
  const { host, command } = await spawned()
  command.stdout.on('data', () => {})
  await settle()
  // A line that was not valid in the encoding has become an `Error`, and its bytes count all the same.
  host.message({ bytes: 128 * KIB, events: [{ event: 'Error', payload: 'not valid' }] })
  expect(host.acks()).toEqual([128 * KIB])
})

test('parity_32_counts_raw_bytes_without_the_byte_that_names_the_stream', async () => {
  const host = new Host()
  const command = Command.sidecar('name', [], { encoding: 'raw' })
  command.stdout.on('data', () => {})
  await command.spawn()
  host.message(new Uint8Array(128 * KIB).fill(1).buffer)
  expect(host.acks()).toEqual([])
  host.message(new Uint8Array(2).fill(1).buffer)
  expect(host.acks()).toEqual([128 * KIB])
})

test('parity_32_waits_for_the_pid', async () => {
  const host = new Host()
  const reply = deferred()
  host.on('spawn', () => reply.promise)
  const command = Command.sidecar('name')
  command.stdout.on('data', () => {})
  const spawn = command.spawn()
  await flush()
  host.stdout(block(200))
  await flush()
  expect(host.acks()).toEqual([])
  reply.resolve(host.started(77))
  await spawn
  expect(host.sent('ack').map(({ args }) => args)).toEqual([{ pid: 77, bytes: 200 * KIB }])
})

test('parity_32_nobody_listening_is_consuming', async () => {
  const { host } = await spawned()
  await settle()
  host.stdout(block(128))
  expect(host.acks()).toEqual([128 * KIB])
})

test('parity_32_an_iterator_acknowledges_what_it_has_handed_out', async () => {
  const { host, command } = await spawned()
  const lines = command.stdout[Symbol.asyncIterator]()
  await settle()
  host.stdout(block(100), block(100))
  host.stdout(block(100))
  await flush()
  expect(host.acks()).toEqual([])
  await lines.next()
  // Half of the first message is still here.
  expect(host.acks()).toEqual([])
  await lines.next()
  expect(host.acks()).toEqual([200 * KIB])
  await lines.next()
  expect(host.acks()).toEqual([200 * KIB])
})

test('parity_32_a_message_counts_when_all_of_its_streams_are_consumed', async () => {
  const { host, command } = await spawned()
  const seen = vi.fn()
  command.stdout.on('data', seen)
  const errors = command.stderr[Symbol.asyncIterator]()
  await settle()
  host.emit({ event: 'Stdout', payload: block(100) }, { event: 'Stderr', payload: block(28) }, { event: 'Stdout', payload: 'x' })
  expect(seen).toHaveBeenCalledTimes(2)
  expect(host.acks()).toEqual([])
  await errors.next()
  expect(host.acks()).toEqual([128 * KIB + 1])
})

test('parity_32_an_iterator_that_waits_consumes_at_once', async () => {
  const { host, command } = await spawned()
  const lines = command.stdout[Symbol.asyncIterator]()
  const first = lines.next()
  await settle()
  host.stdout(block(128))
  expect(host.acks()).toEqual([128 * KIB])
  expect((await first).value).toHaveLength(128 * KIB)
})

test('parity_32_the_slowest_of_two_iterators_sets_the_pace', async () => {
  const { host, command } = await spawned()
  const fast = command.stdout[Symbol.asyncIterator]()
  const slow = command.stdout[Symbol.asyncIterator]()
  await settle()
  host.stdout(block(128))
  await fast.next()
  expect(host.acks()).toEqual([])
  await slow.next()
  expect(host.acks()).toEqual([128 * KIB])
})

test('parity_32_returning_from_an_iterator_stops_holding_back', async () => {
  const { host, command } = await spawned()
  const lines = command.stdout[Symbol.asyncIterator]()
  await settle()
  host.stdout(block(64))
  host.stdout(block(64))
  expect(host.acks()).toEqual([])
  await lines.return!()
  expect(host.acks()).toEqual([128 * KIB])
  host.stdout(block(128))
  expect(host.acks()).toEqual([128 * KIB, 128 * KIB])
})

test('parity_32_a_refused_acknowledgement_is_no_error_and_the_next_one_is_sent', async () => {
  const { host, command } = await spawned()
  command.stdout.on('data', () => {})
  host.on('ack', () => {
    throw 'no such child'
  })
  await settle()
  host.stdout(block(128))
  await flush()
  host.stdout(block(129))
  await flush()
  expect(host.acks()).toEqual([128 * KIB, 129 * KIB])
})

test('parity_32_nothing_is_acknowledged_after_the_end', async () => {
  const { host, command } = await spawned()
  const lines = command.stdout[Symbol.asyncIterator]()
  await settle()
  host.stdout(block(200))
  host.terminated()
  await settle()
  expect((await lines.next()).value).toHaveLength(200 * KIB)
  expect((await lines.next()).done).toBe(true)
  expect(host.acks()).toEqual([])
})

test('parity_32_a_slow_reader_bounds_what_the_host_sends', async () => {
  const { host, command } = await spawned()
  const WINDOW = 1024 * KIB
  const MESSAGES = 256
  let unacknowledged = 0
  let most = 0
  let sent = 0
  // A child that writes as fast as its host lets it: 16 MiB in messages of 64 KiB.
  const pump = () => {
    for (; sent < MESSAGES && unacknowledged + 64 * KIB <= WINDOW; sent++) {
      unacknowledged += 64 * KIB
      most = Math.max(most, unacknowledged)
      host.stdout(String(sent).padEnd(32 * KIB), block(32))
    }
  }
  host.on('ack', ({ args }) => {
    unacknowledged -= args.bytes
    setImmediate(pump)
  })
  const lines = command.stdout[Symbol.asyncIterator]()
  await settle()
  pump()
  expect(sent).toBe(16)

  const numbers: number[] = []
  for await (const line of lines) {
    if (!line.startsWith('x')) numbers.push(Number(line))
    await flush()
    if (numbers.length === MESSAGES) break
  }
  expect(numbers).toEqual(Array.from({ length: MESSAGES }, (_, index) => index))
  expect(most).toBe(WINDOW)
})
