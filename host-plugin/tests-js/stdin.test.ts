/**
 * Writing to a child: in order, joined, and refused with the words of the host.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { Child } from '../guest-js/index.js'
import { deferred, flush, Host, PID, stateOf } from './support/host.js'
import { packages } from './support/packages.js'

const MIB = 1024 * 1024
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** Each test has a child of its own, since what waits for a child is kept by its number. */
let pid = PID

beforeEach(() => {
  pid += 1
})

/** A host that takes each write when the test says so. */
function slowHost(): { host: Host; child: Child; bodies(): string[]; take(): Promise<void>; refuse(reason: string): Promise<void> } {
  const host = new Host()
  let next = deferred()
  const wait = () => next.promise
  host.on('stdin_write', wait).on('close_stdin', wait)
  const step = async (act: () => void) => {
    act()
    next = deferred()
    await flush()
  }
  return {
    host,
    child: new Child(pid),
    bodies: () => host.sent('stdin_write').map(({ body }) => text(body)),
    take: () => step(() => next.resolve(null)),
    refuse: (reason) => step(() => next.reject(reason))
  }
}

test('parity_30_bytes_are_the_body_and_the_pid_is_a_header', async () => {
  const host = new Host()
  const child = new Child(pid)
  await child.write(Uint8Array.of(0, 255))
  expect(host.requests).toEqual([{ command: 'stdin_write', headers: { 'Wasi-Sidecar-Pid': String(pid) }, args: {}, body: Uint8Array.of(0, 255) }])
})

test.each([
  ['text as utf-8', 'größe\n', Buffer.from('größe\n')],
  ['nothing', '', []],
  ['bytes', Uint8Array.of(1, 2), [1, 2]],
  ['a view', Uint8Array.of(1, 2, 3, 4).subarray(1, 3), [2, 3]],
  ['numbers', [0, 128, 255], [0, 128, 255]]
])('parity_35_write_takes_%s', async (_, data, expected) => {
  const host = new Host()
  await new Child(pid).write(data)
  expect(host.sent('stdin_write').map(({ body }) => body)).toEqual([Uint8Array.from(expected)])
})

test.each([
  ['256', [1, 256], '`256` at index 1 is not a byte'],
  ['-1', [-1], '`-1` at index 0 is not a byte'],
  ['0.5', [0.5], '`0.5` at index 0 is not a byte'],
  ['an object', {} as Uint8Array, 'only a string']
])('parity_36_write_rejects_%s_with_a_string', async (_, data, expected) => {
  const host = new Host()
  await expect(new Child(pid).write(data)).rejects.toEqual(expect.stringContaining(expected))
  expect(host.requests).toEqual([])
})

test('one_request_is_in_flight_and_later_writes_are_joined', async () => {
  const { child, bodies, take } = slowHost()
  const writes = ['a', 'b', 'c'].map((each) => child.write(each))
  await flush()
  expect(bodies()).toEqual(['a'])
  await take()
  expect(bodies()).toEqual(['a', 'bc'])
  expect(await Promise.all(writes.map(stateOf))).toEqual(['resolved', 'pending', 'pending'])
  await take()
  expect(await Promise.all(writes.map(stateOf))).toEqual(['resolved', 'resolved', 'resolved'])
})

test('a_request_has_at_most_one_mib_and_a_write_settles_with_its_last_byte', async () => {
  const { host, child, take } = slowHost()
  const sizes = () => host.sent('stdin_write').map(({ body }) => body.length)
  const long = child.write(new Uint8Array(2.5 * MIB).fill(1))
  const short = child.write(new Uint8Array(MIB).fill(2))
  await flush()
  await take()
  await take()
  expect(sizes()).toEqual([MIB, MIB, MIB])
  expect(await stateOf(long)).toBe('pending')
  await take()
  expect([await stateOf(long), await stateOf(short)]).toEqual(['resolved', 'pending'])
  expect(sizes()).toEqual([MIB, MIB, MIB, MIB / 2])
  await take()
  expect(await stateOf(short)).toBe('resolved')

  const all = Buffer.concat(host.sent('stdin_write').map(({ body }) => body))
  expect(all.equals(Buffer.concat([Buffer.alloc(2.5 * MIB, 1), Buffer.alloc(MIB, 2)]))).toBe(true)
})

test('the_buffer_of_the_caller_can_be_reused', async () => {
  const { child, bodies, take } = slowHost()
  const buffer = new Uint8Array(1)
  for (const letter of 'abc') {
    buffer[0] = letter.charCodeAt(0)
    void child.write(buffer)
  }
  await take()
  expect(bodies().join('')).toBe('abc')
})

test('parity_31_a_refusal_rejects_the_writes_it_concerns_with_its_string', async () => {
  const { child, bodies, take, refuse } = slowHost()
  const writes = ['a', 'b', 'c'].map((each) => child.write(each))
  const outcomes = Promise.allSettled(writes)
  await take()
  const late = child.write('d')
  await refuse('no such child')
  await take()
  expect((await outcomes).map((each) => (each.status === 'rejected' ? each.reason : 'taken'))).toEqual(['taken', 'no such child', 'no such child'])
  expect(await stateOf(late)).toBe('resolved')
  expect(bodies()).toEqual(['a', 'bc', 'd'])
})

test('the_rest_of_a_long_write_is_not_sent_after_a_refusal', async () => {
  const { host, child, refuse } = slowHost()
  const long = child.write(new Uint8Array(3 * MIB))
  const after = child.write('after')
  await Promise.all([expect(long).rejects.toBe('broken pipe'), refuse('broken pipe')])
  expect(host.sent('stdin_write').map(({ body }) => body.length)).toEqual([MIB, 5])
  await Promise.all([expect(after).rejects.toBe('broken pipe'), refuse('broken pipe')])
})

test('a_refusal_does_not_concern_a_write_that_had_no_room_in_the_request', async () => {
  const { host, child, take, refuse } = slowHost()
  void child.write('x')
  const full = child.write(new Uint8Array(MIB))
  const after = child.write('after')
  await take()
  await Promise.all([expect(full).rejects.toBe('not now'), refuse('not now')])
  expect(host.sent('stdin_write').map(({ body }) => body.length)).toEqual([1, MIB, 5])
  await take()
  expect(await stateOf(after)).toBe('resolved')
})

test('parity_35_close_stdin_keeps_its_place', async () => {
  const { host, child, take } = slowHost()
  void child.write('a')
  void child.write('b')
  const closed = child.closeStdin()
  const after = child.write('c')
  await flush()
  const order = () => host.requests.map(({ command, body }) => (command === 'stdin_write' ? text(body) : command))
  await take()
  expect(order()).toEqual(['a', 'b'])
  await take()
  expect(order()).toEqual(['a', 'b', 'close_stdin'])
  expect(host.sent('close_stdin')[0]!.args).toEqual({ pid })
  expect([await stateOf(closed), await stateOf(after)]).toEqual(['pending', 'pending'])
  await take()
  expect([await stateOf(closed), await stateOf(after)]).toEqual(['resolved', 'pending'])
  expect(order()).toEqual(['a', 'b', 'close_stdin', 'c'])
  await take()
})

test('all_handles_of_a_child_share_its_order_and_other_children_do_not', async () => {
  const { host, bodies, take } = slowHost()
  for (const [child, data] of [[1, 'a'], [1, 'b'], [2, 'other']] as const) void new Child(child).write(data)
  await flush()
  expect(bodies()).toEqual(['a', 'other'])
  expect(host.sent('stdin_write').map(({ headers }) => headers['Wasi-Sidecar-Pid'])).toEqual(['1', '2'])
  await take()
  expect(bodies()).toEqual(['a', 'other', 'b'])
  await take()
})

test('what_is_written_at_random_arrives_as_written', async () => {
  const host = new Host()
  host.on('stdin_write', async () => {
    for (let turns = host.requests.length % 4; turns > 0; turns--) await flush()
  })
  const child = new Child(pid)
  const pieces = Array.from({ length: 300 }, (_, index) => Buffer.alloc((index * 7919) % 40_000, index))
  const writes: Promise<void>[] = []
  for (const [index, piece] of pieces.entries()) {
    writes.push(child.write(piece))
    if (index % 11 === 0) await flush()
  }
  await Promise.all(writes)
  const bodies = host.sent('stdin_write').map(({ body }) => body)
  expect(Buffer.concat(bodies).equals(Buffer.concat(pieces))).toBe(true)
  expect(bodies.length).toBeLessThan(pieces.length)
})

describe('a child that is over', () => {
  test('parity_31_writes_closes_and_lists_reject_with_the_string_of_the_host', async () => {
    const host = new Host()
    let alive = true
    const whileAlive = () => {
      if (!alive) throw 'no such child'
    }
    host.on('stdin_write', whileAlive).on('close_stdin', whileAlive).on('kill', () => void (alive = false))
    const child = new Child(pid)
    await child.write('a')
    await child.kill()
    await expect(child.write('b')).rejects.toBe('no such child')
    await expect(child.closeStdin()).rejects.toBe('no such child')
    await child.kill()
  })

  test('parity_31_the_writes_that_wait_reject_when_it_is_killed', async () => {
    const { child, refuse } = slowHost()
    const waiting = Promise.allSettled([child.write('a'), child.write('b'), child.closeStdin()])
    await child.kill()
    for (let request = 0; request < 3; request++) await refuse('no such child')
    expect(await waiting).toEqual(Array(3).fill({ status: 'rejected', reason: 'no such child' }))
  })
})

describe.each(packages)('$name', ({ api, dialect }) => {
  test('parity_36_write_and_kill_reject_with_the_string_of_the_host', async () => {
    const host = new Host(dialect)
    for (const command of ['stdin_write', 'kill']) {
      host.on(command, () => {
        throw `${command} is not allowed`
      })
    }
    const child = new api.Child(pid)
    await expect(child.write('a')).rejects.toBe('stdin_write is not allowed')
    await expect(child.kill()).rejects.toBe('kill is not allowed')
  })

  test('parity_23_write_resolves_with_nothing', async () => {
    new Host(dialect)
    expect(await new api.Child(pid).write([1])).toBeUndefined()
    expect(await new api.Child(pid).kill()).toBeUndefined()
  })
})
