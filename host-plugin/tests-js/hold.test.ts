/**
 * A child can be faster than its page: what happens before, and one macrotask after, the reply to `spawn` waits for somebody who
 * wants it.
 */
import { expect, test, vi } from 'vitest'
import { Command } from '../guest-js/index.js'
import { deferred, flush, Host, settle } from './support/host.js'

/** A host whose child has written two lines and ended before the reply; nothing more will come on its channel. */
function quick(): Host {
  const host = new Host()
  host.on('spawn', () => {
    host.stdout('a\n', 'b\n')
    host.terminated(5)
    host.drop()
    return host.started(1)
  })
  return host
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of stream) all.push(each)
  return all
}

test('a_loop_right_after_spawn_misses_nothing', async () => {
  vi.useRealTimers()
  quick()
  const command = Command.sidecar('name')
  const child = await command.spawn()
  expect(await collect(command.stdout)).toEqual(['a\n', 'b\n'])
  expect(await child.wait()).toMatchObject({ code: 5 })
})

test('listeners_added_right_after_spawn_miss_nothing', async () => {
  quick()
  const command = Command.sidecar('name')
  await command.spawn()
  const log: unknown[] = []
  command.on('close', ({ code }) => log.push(code)).on('error', (error) => log.push(error))
  command.stdout.on('data', (line) => log.push(line))
  expect(log).toEqual([])
  vi.advanceTimersByTime(0)
  expect(log).toEqual(['a\n', 'b\n', 5])
})

test('close_of_a_silent_child_waits_for_its_listener', async () => {
  const host = new Host()
  host.on('spawn', () => {
    host.terminated(5)
    return host.started(1)
  })
  const command = Command.sidecar('name')
  await command.spawn()
  const closed = vi.fn()
  command.on('close', closed)
  await settle()
  expect(closed).toHaveBeenCalledExactlyOnceWith({ code: 5, signal: null })
})

test('an_iterator_that_waits_gets_what_comes_before_the_reply_at_once', async () => {
  const host = new Host()
  host.on('spawn', () => new Promise(() => {}))
  const command = Command.sidecar('name')
  const first = command.stdout[Symbol.asyncIterator]().next()
  void command.spawn()
  host.stdout('early\n')
  expect((await first).value).toBe('early\n')
})

test('a_loop_and_a_listener_added_right_after_spawn_both_see_everything', async () => {
  quick()
  const command = Command.sidecar('name')
  await command.spawn()
  const heard: string[] = []
  const loop = collect(command.stdout)
  command.stdout.on('data', (line) => heard.push(line))
  await settle()
  expect([heard, await loop]).toEqual([
    ['a\n', 'b\n'],
    ['a\n', 'b\n']
  ])
})

test('what_comes_between_the_reply_and_the_macrotask_keeps_its_place', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  await command.spawn()
  host.stdout('a\n')
  const heard: string[] = []
  command.stdout.on('data', (line) => heard.push(line))
  host.stdout('b\n')
  await settle()
  host.stdout('c\n')
  expect(heard).toEqual(['a\n', 'b\n', 'c\n'])
})

test('after_the_macrotask_nothing_is_kept', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  await command.spawn()
  host.stdout('held\n')
  await settle()
  host.stdout('late\n')
  const loop = collect(command.stdout)
  host.stdout('wanted\n')
  host.terminated()
  expect(await loop).toEqual(['wanted\n'])
})

test('what_is_held_is_not_acknowledged_until_it_is_dropped', async () => {
  const host = new Host()
  const reply = deferred()
  host.on('spawn', () => reply.promise)
  const command = Command.sidecar('name')
  const spawn = command.spawn()
  host.stdout('x'.repeat(200_000))
  reply.resolve(host.started(1))
  await spawn
  await flush()
  expect(host.acks()).toEqual([])
  vi.advanceTimersByTime(0)
  expect(host.acks()).toEqual([200_000])
})

test('what_is_held_for_an_iterator_is_acknowledged_when_handed_out', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  await command.spawn()
  host.stdout('x'.repeat(200_000))
  const lines = command.stdout[Symbol.asyncIterator]()
  await settle()
  expect(host.acks()).toEqual([])
  await lines.next()
  expect(host.acks()).toEqual([200_000])
})

test('a_channel_that_is_dropped_while_the_end_is_held_is_no_fault', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  await command.spawn()
  const log: unknown[] = []
  host.stdout('a')
  host.terminated(5)
  host.drop()
  command.on('close', ({ code }) => log.push(code)).on('error', (error) => log.push(error))
  await settle()
  expect(log).toEqual([5])
})

test('a_stream_with_a_listener_does_not_wait_for_the_other_one', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  const heard: string[] = []
  command.stderr.on('data', (line) => heard.push(line))
  await command.spawn()
  host.emit({ event: 'Stdout', payload: 'held\n' }, { event: 'Stderr', payload: 'heard\n' })
  expect(heard).toEqual(['heard\n'])
})

test('close_comes_after_what_is_held', async () => {
  quick()
  const command = Command.sidecar('name')
  const log: unknown[] = []
  command.on('close', ({ code }) => log.push(code))
  await command.spawn()
  expect(log).toEqual([])
  command.stdout.on('data', (line) => log.push(line))
  await settle()
  expect(log).toEqual(['a\n', 'b\n', 5])
})

test('an_error_waits_for_its_listener_too', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  await command.spawn()
  host.emit({ event: 'Error', payload: 'first' })
  const log: unknown[] = []
  command.on('error', (error) => log.push(error))
  host.emit({ event: 'Error', payload: 'second' })
  await settle()
  expect(log).toEqual(['first', 'second'])
})

test('a_refused_spawn_drops_what_was_held', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  const heard: string[] = []
  host.on('spawn', () => {
    host.stdout('nobody\n')
    throw 'refused'
  })
  await expect(command.spawn()).rejects.toBe('refused')
  command.stdout.on('data', (line) => heard.push(line))
  await settle()
  host.stdout('a message after the refusal\n')
  expect(heard).toEqual([])
})

test('a_refusal_after_the_end_does_no_harm_to_the_next_child', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  command.on('close', () => {})
  host.on('spawn', () => {
    host.terminated()
    throw 'refused'
  })
  await expect(command.spawn()).rejects.toBe('refused')
  host.on('spawn', () => host.started(1))
  await command.spawn()
  const loop = collect(command.stdout)
  host.stdout('a')
  host.terminated()
  await settle()
  expect(await loop).toEqual(['a'])
})
