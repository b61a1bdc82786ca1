/**
 * Bytes: the channel's raw messages, and the results of `execute`.
 */
import { describe, expect, test } from 'vitest'
import { Command } from '../guest-js/index.js'
import { Host } from './support/host.js'
import { packages } from './support/packages.js'

/** The forms in which a webview may get bytes, made of a list of numbers. */
const FORMS: [string, (bytes: number[]) => unknown][] = [
  ['ArrayBuffer', (bytes) => Uint8Array.from(bytes).buffer],
  ['Uint8Array', (bytes) => Uint8Array.from(bytes)],
  ['Uint8Array with an offset', (bytes) => Uint8Array.from([9, 9, 9, ...bytes, 9]).subarray(3, 3 + bytes.length)],
  ['number[]', (bytes) => bytes]
]

describe.each(FORMS)('%s', (_, form) => {
  test('parity_26_raw_messages_become_a_uint8array', async () => {
    const host = new Host()
    const command = Command.create('name', [], { encoding: 'raw' })
    const log: unknown[] = []
    command.stdout.on('data', (bytes) => log.push(['stdout', bytes]))
    command.stderr.on('data', (bytes) => log.push(['stderr', bytes]))
    command.on('close', ({ code }) => log.push(['close', code]))
    await command.spawn()
    host.message(form([1, 0, 255, 10]))
    host.message(form([2, 128]))
    host.message(form([1]))
    host.terminated(0)

    expect(log).toEqual([
      ['stdout', Uint8Array.of(0, 255, 10)],
      ['stderr', Uint8Array.of(128)],
      ['stdout', Uint8Array.of()],
      ['close', 0]
    ])
  })

  test.each([
    ['two outputs', [1, 2, 3], [255]],
    ['no output', [], []],
    ['errors only', [], [0, 10]]
  ])('parity_28_execute_raw_%s', async (_, stdout, stderr) => {
    const host = new Host()
    const header = [...Buffer.from(JSON.stringify({ code: 1, signal: null, reason: 'größe', stdout: stdout.length }))]
    host.on('execute', () => form([header.length, 0, 0, 0, ...header, ...stdout, ...stderr]))
    const result = await Command.sidecar('name', [], { encoding: 'raw' }).execute()

    const expected = { code: 1, signal: null, reason: 'größe', stdout: Uint8Array.from(stdout), stderr: Uint8Array.from(stderr) }
    expect(result).toEqual(expected)
    expect(host.sent('execute')[0]!.args.options).toEqual({ encoding: 'raw', sidecar: true, batch: true })
  })
})

test('parity_28_execute_raw_has_a_header_length_of_four_bytes', async () => {
  const host = new Host()
  const reason = 'x'.repeat(70_000)
  const header = Buffer.from(JSON.stringify({ code: null, signal: 9, reason, stdout: 1 }))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(header.length)
  host.on('execute', () => new Uint8Array(Buffer.concat([length, header, Buffer.from('ab')])))
  const result = await Command.create('name', [], { encoding: 'raw' }).execute()
  expect(result).toEqual({ code: null, signal: 9, reason, stdout: Uint8Array.of(97), stderr: Uint8Array.of(98) })
})

test('parity_28_execute_raw_refuses_a_reply_without_bytes', async () => {
  const host = new Host()
  host.on('execute', () => ({ code: 0 }))
  await expect(Command.create('name', [], { encoding: 'raw' }).execute()).rejects.toThrow('holds no bytes')
})

test('parity_26_raw_messages_of_a_stream_that_is_not_known_are_skipped_and_acknowledged', async () => {
  const host = new Host()
  const command = Command.create('name', [], { encoding: 'raw' })
  const log: unknown[] = []
  command.stdout.on('data', (bytes) => log.push(bytes))
  await command.spawn()
  const message = new Uint8Array(1 + 128 * 1024)
  message[0] = 3
  host.message(message.buffer)
  expect(log).toEqual([])
  expect(host.acks()).toEqual([128 * 1024])
})

describe.each(packages)('$name', ({ api, dialect }) => {
  test('parity_28_execute_resolves_with_what_the_host_says', async () => {
    const host = new Host(dialect)
    const output = { code: 2, signal: null, stdout: 'out\n', stderr: 'err' }
    host.on('execute', () => output)
    expect(await api.Command.create('name').execute()).toEqual(output)
  })
})

test('parity_28_execute_tells_the_reason', async () => {
  const host = new Host()
  host.on('execute', () => ({ code: null, signal: null, reason: 'wasm trap: unreachable', stdout: '', stderr: '' }))
  expect(await Command.create('name').execute()).toHaveProperty('reason', 'wasm trap: unreachable')
})
