/**
 * What a command asks of the host, and what its listeners see: the rows of PARITY that both packages share, and what is ours alone.
 */
import { describe, expect, test, vi } from 'vitest'
import { Command } from '../guest-js/index.js'
import { type Event, flush, Host, PID, settle } from './support/host.js'
import { packages } from './support/packages.js'

const ended: Event = { event: 'Terminated', payload: { code: 3, signal: null } }

describe.each(packages)('$name', ({ api, dialect }) => {
  /** Listens to everything, in one list. */
  function listen(command: ReturnType<typeof api.Command.create>): unknown[] {
    const log: unknown[] = []
    command.on('close', (payload) => log.push(['close', payload]))
    command.on('error', (payload) => log.push(['error', payload]))
    command.stdout.on('data', (payload) => log.push(['stdout', payload]))
    command.stderr.on('data', (payload) => log.push(['stderr', payload]))
    return log
  }

  test('parity_23_commands_and_arguments', async () => {
    const host = new Host(dialect)
    host.on('execute', () => ({ code: 0, signal: null, stdout: '', stderr: '' }))
    const command = api.Command.create('name', ['a'])
    const child = await command.spawn()
    await command.execute()
    await child.kill()

    const seen = host.requests.map(({ command, args }) => [command, Object.keys(args)])
    const common = ['program', 'args', 'options']
    expect(seen.slice(0, 2)).toEqual([
      ['spawn', [...common, 'onEvent']],
      ['execute', common]
    ])
    expect(host.sent('spawn')[0]!.args).toMatchObject({ program: 'name', args: ['a'], onEvent: expect.stringMatching(/^__CHANNEL__:\d+$/) })
    expect(host.sent('kill')[0]!.args).toMatchObject({ pid: PID })
  })

  test('parity_24_options_go_through', async () => {
    const host = new Host(dialect)
    const options = { cwd: '/notes', env: { A: '1' }, encoding: 'utf-16le', processGroup: true, unknown: [1] }
    await api.Command.create('name', [], options).spawn()
    await api.Command.sidecar('name', [], { env: null } as unknown as { env: Record<string, string> }).spawn()
    await api.Command.create('name').spawn()

    const [all, cleared, none] = host.sent('spawn').map(({ args }) => args.options)
    expect(all).toMatchObject(options)
    expect(cleared).toMatchObject({ env: null, sidecar: true })
    expect(none).not.toHaveProperty('env')
    expect(none.sidecar ?? false).toBe(false)
  })

  test('parity_25_args_null_string_or_list', async () => {
    const host = new Host(dialect)
    for (const args of [undefined, null, 'one', ['one', 'two'], []]) await api.Command.sidecar('name', args as string[]).spawn()
    expect(host.sent('spawn').map(({ args }) => args.args)).toEqual([[], null, ['one'], ['one', 'two'], []])
  })

  test('parity_26_events_reach_listeners_in_order', async () => {
    const host = new Host(dialect)
    const command = api.Command.create('name')
    const log = listen(command)
    await command.spawn()
    host.emit({ event: 'Stdout', payload: 'a\n' }, { event: 'Stderr', payload: 'b\n' }, { event: 'Stdout', payload: 'c' })
    host.emit({ event: 'Error', payload: 'bad line' }, ended)

    expect(log).toEqual([
      ['stdout', 'a\n'],
      ['stderr', 'b\n'],
      ['stdout', 'c'],
      ['error', 'bad line'],
      ['close', { code: 3, signal: null }]
    ])
  })

  test('parity_27_an_error_does_not_end_the_stream', async () => {
    const host = new Host(dialect)
    const command = api.Command.create('name', [], { encoding: 'shift_jis' })
    const log = listen(command)
    await command.spawn()
    host.emit({ event: 'Error', payload: 'stream did not contain valid UTF-8' }, { event: 'Stdout', payload: 'next\n' })

    expect(host.sent('spawn')[0]!.args.options.encoding).toBe('shift_jis')
    expect(log).toEqual([
      ['error', 'stream did not contain valid UTF-8'],
      ['stdout', 'next\n']
    ])
  })

  test('parity_29_spawn_resolves_without_events', async () => {
    new Host(dialect)
    expect(await api.Command.create('name').spawn()).toMatchObject({ pid: PID })
  })

  test('parity_29_events_before_the_reply_reach_listeners_at_once', async () => {
    const host = new Host(dialect)
    const command = api.Command.create('name')
    const log = listen(command)
    host.on('spawn', () => {
      host.stdout('early\n')
      host.emit(ended)
      log.push('reply')
      return host.started(PID)
    })
    const child = await command.spawn()
    expect(log).toEqual([['stdout', 'early\n'], ['close', { code: 3, signal: null }], 'reply'])
    expect(child.pid).toBe(PID)
  })

  test('parity_29_several_children_of_one_command', async () => {
    const host = new Host(dialect)
    const command = api.Command.create('name')
    const log = listen(command)
    await command.spawn()
    await command.spawn()
    host.stdout('second\n')
    const first = { event: 'Stdout' as const, payload: 'first\n' }
    host.message(dialect === 'shell' ? first : { bytes: 6, events: [first] }, 0)
    expect(log).toEqual([
      ['stdout', 'second\n'],
      ['stdout', 'first\n']
    ])
  })

  test.each(['spawn', 'execute'] as const)('parity_36_%s_rejects_with_the_string_of_the_host', async (method) => {
    const host = new Host(dialect)
    host.on(method, () => {
      throw 'program not allowed on the configured shell scope: name'
    })
    const command = api.Command.create('name')
    const log = listen(command)
    await expect(command[method]()).rejects.toBe('program not allowed on the configured shell scope: name')
    await settle()
    expect(log).toEqual([])
  })

  test('parity_36_args_are_as_they_were_when_spawned_again', async () => {
    const host = new Host(dialect)
    const command = api.Command.create('name', ['a'])
    await command.spawn()
    await command.spawn()
    expect(host.sent('spawn').map(({ args }) => args.args)).toEqual([['a'], ['a']])
  })
})

test('parity_36_objects_of_the_caller_are_not_touched', async () => {
  const host = new Host()
  const args = ['a']
  const options = { cwd: '/notes', env: { A: '1' } }
  const command = Command.sidecar('name', args, options)
  args.push('b')
  options.env.A = '2'
  await command.spawn()

  expect(host.sent('spawn')[0]!.args).toMatchObject({ args: ['a'], options: { env: { A: '1' }, sidecar: true } })
  expect(options).toEqual({ cwd: '/notes', env: { A: '2' } })
  expect([args, options, options.env].map(Object.isFrozen)).toEqual([false, false, false])
})

test('parity_36_frozen_objects_of_the_caller_are_taken', async () => {
  const host = new Host()
  const options = Object.freeze({ env: Object.freeze({ A: '1' }) })
  await Command.sidecar('name', Object.freeze(['a']) as string[], options).spawn()
  expect(host.sent('spawn')[0]!.args).toMatchObject({ args: ['a'], options })
})

test('parity_36_differs_the_shell_plugin_changes_what_it_is_given', async () => {
  // Why the two tests above are ours alone.
  const shell = packages[1]!
  new Host(shell.dialect)
  const args = ['a']
  const options = {}
  await shell.api.Command.sidecar('name', args, options).spawn()
  expect(options).toEqual({ sidecar: true })
  expect(Object.isFrozen(args)).toBe(true)
})

test('parity_26_requests_ask_for_batches', async () => {
  const host = new Host()
  await Command.create('name', [], { flushPartialLines: 50 }).spawn()
  await Command.sidecar('name').spawn()
  expect(host.sent('spawn').map(({ args }) => args.options)).toEqual([
    { sidecar: false, batch: true, flushPartialLines: 50 },
    { sidecar: true, batch: true }
  ])
})

test('parity_26_events_of_a_kind_that_is_not_known_are_skipped', async () => {
  const host = new Host()
  const command = Command.create('name')
  const seen = vi.fn()
  command.stdout.on('data', seen)
  await command.spawn()
  host.message({ bytes: 1, events: [{ event: 'Suspended', payload: 1 }, { event: 'Stdout', payload: 'a' }] })
  await flush()
  expect(seen.mock.calls).toEqual([['a']])
})

test('a_listener_that_throws_keeps_nothing_from_being_delivered', async () => {
  vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {})
  const host = new Host()
  const command = Command.create('name')
  const seen = vi.fn()
  const faulty = () => {
    throw new Error('a bug in a listener')
  }
  command.stdout.on('data', faulty).on('data', seen)
  command.on('close', faulty)
  const child = await command.spawn()
  host.emit({ event: 'Stdout', payload: 'x'.repeat(128 * 1024) }, { event: 'Stdout', payload: 'b' })
  expect(host.acks()).toEqual([128 * 1024 + 1])
  host.terminated(0)

  expect(seen).toHaveBeenCalledTimes(2)
  expect(await child.wait()).toMatchObject({ code: 0 })
})
