/**
 * `EventEmitter`: the same as the shell plugin's, by a long random run and by cases; and where it is better on purpose.
 */
import { describe, expect, test, vi } from 'vitest'
import { EventEmitter } from '../guest-js/index.js'
import { packages } from './support/packages.js'

const ADDERS = ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener'] as const
const REMOVERS = ['off', 'removeListener'] as const
const EVENTS = ['a', 'b'] as const

/** Small and good enough; a fixed seed keeps a failure reproducible. */
function randomNumbers(seed: number): (below: number) => number {
  return (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
}

/** Performs random operations on an emitter, and writes down everything that can be seen from outside. */
function trace(Emitter: (typeof packages)[number]['api']['EventEmitter'], seed: number): unknown[] {
  const random = randomNumbers(seed)
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!
  const log: unknown[] = []
  const emitter = new Emitter<{ a: number; b: number }>()
  const listeners = [0, 1, 2].map((id) => (arg: number) => log.push(`${id} got ${arg}`))
  for (let step = 0; step < 60; step++) {
    const event = pick(EVENTS)
    const kind = random(10)
    if (kind < 4) log.push(emitter[pick(ADDERS)](event, pick(listeners)) === emitter)
    else if (kind < 5) log.push(emitter[pick(REMOVERS)](event, pick(listeners)) === emitter)
    else if (kind < 6) log.push(emitter.removeAllListeners(random(4) ? event : undefined) === emitter)
    else emitter.emit(event, step)
    log.push(emitter.listenerCount(event))
  }
  return log
}

test('parity_35_emitter_random_operations', () => {
  for (let seed = 0; seed < 300; seed++) {
    const [ours, theirs] = packages.map(({ api }) => trace(api.EventEmitter, seed))
    expect(ours, `seed ${seed}`).toEqual(theirs)
  }
})

describe.each(packages)('$name', ({ api }) => {
  const recorder = () => {
    const emitter = new api.EventEmitter<{ data: string }>()
    const log: string[] = []
    return { emitter, log, note: (name: string) => () => void log.push(name) }
  }

  test('parity_35_emitter_has_ten_methods', () => {
    const methods = ['addListener', 'emit', 'listenerCount', 'off', 'on', 'once', 'prependListener', 'prependOnceListener', 'removeAllListeners', 'removeListener']
    const { emitter } = recorder()
    for (const method of methods) expect(emitter, method).toHaveProperty(method, expect.any(Function))
  })

  test('parity_35_emitter_calls_what_is_added_during_an_event', () => {
    const { emitter, log, note } = recorder()
    emitter.on('data', () => void (emitter.listenerCount('data') < 2 && emitter.on('data', note('added'))))
    emitter.emit('data', '')
    expect(log).toEqual(['added'])
  })

  test('parity_35_emitter_calls_what_is_removed_during_an_event', () => {
    const { emitter, log, note } = recorder()
    const removed = note('removed')
    emitter.on('data', () => emitter.off('data', removed)).on('data', removed)
    emitter.emit('data', '')
    emitter.emit('data', '')
    expect(log).toEqual(['removed'])
  })

  test('parity_35_emitter_knows_no_special_names', () => {
    const emitter = new api.EventEmitter<Record<string, string>>()
    expect(emitter.emit('constructor', '')).toBe(false)
    expect(emitter.listenerCount('__proto__')).toBe(0)
    expect(emitter.on('__proto__', () => {}).listenerCount('__proto__')).toBe(1)
  })

  test('parity_35_emitter_tells_whether_there_were_listeners', () => {
    const { emitter, note } = recorder()
    expect(emitter.emit('data', '')).toBe(false)
    expect(emitter.on('data', note('')).emit('data', '')).toBe(true)
    expect(emitter.removeAllListeners('data').emit('data', '')).toBe(false)
  })
})

test('parity_35_emitter_differs_emit_is_false_after_the_last_listener_is_off', () => {
  const listener = () => {}
  const [ours, theirs] = packages.map(({ api }) => new api.EventEmitter<{ data: string }>().on('data', listener).off('data', listener).emit('data', ''))
  expect([ours, theirs]).toEqual([false, true])
})

test('parity_35_emitter_differs_prepending_in_a_listener_does_not_call_it_again', () => {
  const calls = packages.map(({ api }) => {
    const emitter = new api.EventEmitter<{ data: string }>()
    const listener = vi.fn(() => {
      if (listener.mock.calls.length < 5) emitter.prependListener('data', () => {})
    })
    emitter.on('data', listener).emit('data', '')
    return listener.mock.calls.length
  })
  expect(calls).toEqual([1, 5])
})

test('a_listener_that_throws_is_reported_and_the_others_are_called', () => {
  const reported: (() => void)[] = []
  vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((report) => void reported.push(report))
  const emitter = new EventEmitter<{ data: string }>()
  const last = vi.fn()
  const fault = new Error('a bug in a listener')
  const faulty = () => {
    throw fault
  }
  emitter.on('data', faulty).once('data', faulty).on('data', last)

  expect(emitter.emit('data', 'x')).toBe(true)
  expect(last).toHaveBeenCalledExactlyOnceWith('x')
  expect(reported).toHaveLength(2)
  for (const report of reported) expect(report).toThrow(fault)
  expect(emitter.listenerCount('data')).toBe(2)
})
