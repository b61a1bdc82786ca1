/**
 * `for await` over output.
 */
import { expect, test, vi } from 'vitest'
import { Command } from '../guest-js/index.js'
import { deferred, flush, Host, settle, stateOf } from './support/host.js'

async function spawned(): Promise<{ host: Host; command: Command<string> }> {
  const host = new Host()
  const command = Command.sidecar('name')
  await command.spawn()
  return { host, command }
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of stream) all.push(each)
  return all
}

test('parity_35_iteration_hands_out_in_order_and_ends_with_the_child', async () => {
  const { host, command } = await spawned()
  const stdout = collect(command.stdout)
  const stderr = collect(command.stderr)
  await settle()
  host.emit({ event: 'Stdout', payload: 'a\n' }, { event: 'Stderr', payload: 'e\n' }, { event: 'Stdout', payload: 'b\n' })
  host.stdout('c')
  expect(await stateOf(stdout)).toBe('pending')
  host.terminated()
  expect(await stdout).toEqual(['a\n', 'b\n', 'c'])
  expect(await stderr).toEqual(['e\n'])
})

test('iteration_may_begin_before_the_child', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  const loop = collect(command.stdout)
  await flush()
  host.on('spawn', () => {
    host.stdout('early\n')
    return host.started(1)
  })
  await command.spawn()
  host.terminated()
  await settle()
  expect(await loop).toEqual(['early\n'])
})

test('iteration_after_the_end_is_over_at_once', async () => {
  const { host, command } = await spawned()
  await settle()
  host.terminated()
  expect(await collect(command.stdout)).toEqual([])
})

test('iteration_that_waits_ends_when_the_child_is_refused', async () => {
  const host = new Host()
  host.on('spawn', () => {
    throw 'refused'
  })
  const command = Command.sidecar('name')
  const loop = collect(command.stdout)
  await expect(command.spawn()).rejects.toBe('refused')
  expect(await loop).toEqual([])
})

test('what_was_not_handed_out_yet_outlives_the_child', async () => {
  const { host, command } = await spawned()
  const lines = command.stdout[Symbol.asyncIterator]()
  await settle()
  host.stdout('a', 'b')
  host.terminated()
  expect(await lines.next()).toEqual({ done: false, value: 'a' })
  expect(await lines.next()).toEqual({ done: false, value: 'b' })
  expect(await lines.next()).toEqual({ done: true, value: undefined })
  expect(await lines.next()).toEqual({ done: true, value: undefined })
})

test('iterators_and_listeners_each_see_everything', async () => {
  const { host, command } = await spawned()
  const heard: string[] = []
  command.stdout.on('data', (line) => heard.push(line))
  const loops = [collect(command.stdout), collect(command.stdout)]
  await settle()
  host.stdout('a', 'b')
  host.terminated()
  expect([heard, ...(await Promise.all(loops))]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
    ['a', 'b']
  ])
})

test('an_iterator_begun_later_sees_what_is_later', async () => {
  const { host, command } = await spawned()
  const first = collect(command.stdout)
  await settle()
  host.stdout('a')
  const second = collect(command.stdout)
  host.stdout('b')
  host.terminated()
  expect([await first, await second]).toEqual([['a', 'b'], ['b']])
})

test('leaving_the_loop_detaches_it', async () => {
  const { host, command } = await spawned()
  const loop = (async () => {
    for await (const line of command.stdout) return line
    return undefined
  })()
  await settle()
  host.stdout('a', 'b', 'x'.repeat(200_000))
  expect(await loop).toBe('a')
  await flush()
  expect(host.acks()).toEqual([200_002])
})

test('return_settles_who_waits_and_ends_the_iterator', async () => {
  const { host, command } = await spawned()
  const lines = command.stdout[Symbol.asyncIterator]()
  const waiting = lines.next()
  expect(await lines.return!('bye')).toEqual({ done: true, value: 'bye' })
  expect(await waiting).toEqual({ done: true, value: undefined })
  host.stdout('a')
  await settle()
  expect(await lines.next()).toEqual({ done: true, value: undefined })
})

test('asking_ahead_is_answered_in_order', async () => {
  const { host, command } = await spawned()
  const lines = command.stdout[Symbol.asyncIterator]()
  const asked = [lines.next(), lines.next(), lines.next(), lines.next()]
  await settle()
  host.stdout('a', 'b', 'c')
  host.terminated()
  expect((await Promise.all(asked)).map(({ value }) => value)).toEqual(['a', 'b', 'c', undefined])
})

test('an_iterator_that_was_drained_goes_on', async () => {
  const { host, command } = await spawned()
  const lines = command.stdout[Symbol.asyncIterator]()
  await settle()
  for (const line of ['a', 'b', 'c']) {
    host.stdout(line)
    expect((await lines.next()).value).toBe(line)
  }
})

test('an_iterator_can_be_iterated_itself', async () => {
  const { host, command } = await spawned()
  const lines = command.stdout[Symbol.asyncIterator]()
  await settle()
  host.stdout('header', 'a', 'b')
  host.terminated()
  expect((await lines.next()).value).toBe('header')
  expect(await collect(lines)).toEqual(['a', 'b'])
})

test('iteration_ends_with_the_last_of_several_children', async () => {
  const { host, command } = await spawned()
  await command.spawn()
  const loop = collect(command.stdout)
  await settle()
  host.terminated()
  expect(await stateOf(loop)).toBe('pending')
  host.message({ bytes: 1, events: [{ event: 'Stdout', payload: 'a' }] }, 0)
  host.message({ bytes: 0, events: [{ event: 'Terminated', payload: { code: 0, signal: null, reason: null } }] }, 0)
  expect(await loop).toEqual(['a'])
})

test('a_command_that_is_spawned_again_is_iterated_again', async () => {
  const { host, command } = await spawned()
  host.stdout('a')
  host.terminated()
  const first = collect(command.stdout)
  await settle()
  const reply = deferred()
  host.on('spawn', () => reply.promise)
  const spawn = command.spawn()
  const second = collect(command.stdout)
  reply.resolve(host.started(2))
  await spawn
  host.stdout('b')
  host.terminated()
  await settle()
  expect([await first, await second]).toEqual([['a'], ['b']])
})

test('a_hundred_thousand_lines_in_one_message_come_in_order', async () => {
  const { host, command } = await spawned()
  const lines = command.stdout[Symbol.asyncIterator]()
  await settle()
  const count = 100_000
  const events = Array.from({ length: count }, (_, index) => ({ event: 'Stdout', payload: `${index}` }))
  host.message({ bytes: count, events })
  host.terminated()
  let expected = 0
  for await (const line of lines) if (line !== `${expected++}`) throw new Error(`line ${line} is out of order`)
  expect(expected).toBe(count)
})

test('bytes_can_be_iterated', async () => {
  vi.useRealTimers()
  const host = new Host()
  const command = Command.sidecar('name', [], { encoding: 'raw' })
  await command.spawn()
  host.message(Uint8Array.of(1, 0, 255).buffer)
  host.message(Uint8Array.of(2, 7).buffer)
  host.terminated()
  const [stdout, stderr] = await Promise.all([collect(command.stdout), collect(command.stderr)])
  expect(stdout).toEqual([Uint8Array.of(0, 255)])
  expect(stderr).toEqual([Uint8Array.of(7)])
})
