/**
 * The handle of a child, the list of all, and what is left of a child that is over.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test, vi } from 'vitest'
import { Child, children, Command } from '../guest-js/index.js'
import { flush, Host, PID, settle, stateOf } from './support/host.js'
import { packages } from './support/packages.js'

test('parity_35_a_handle_looks_as_that_of_the_shell_plugin', async () => {
  const handles: unknown[] = []
  for (const { api, dialect } of packages) {
    new Host(dialect)
    const child = await api.Command.create('name').spawn()
    expect(child).toBeInstanceOf(api.Child)
    handles.push({ ...child })
  }
  expect(handles).toEqual([{ pid: PID }, { pid: PID }])
})

test.each(['component', 'native'])('backend_is_%s', async (backend) => {
  const host = new Host()
  host.on('spawn', () => host.started(PID, backend))
  const child = await Command.sidecar('name').spawn()
  expect(child.backend).toBe(backend)
})

test('a_handle_made_of_a_number_has_no_backend_and_cannot_wait', async () => {
  new Host()
  const child = new Child(5)
  expect(child.backend).toBeUndefined()
  await expect(child.wait()).rejects.toBe('only the handle that `spawn` returned can wait for child `5`')
})

test('parity_35_wait_resolves_at_close_and_ever_after', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  const closed = vi.fn()
  command.on('close', closed)
  const child = await command.spawn()
  const early = child.wait()
  await settle()
  expect(await stateOf(early)).toBe('pending')
  const payload = { code: null, signal: 9, reason: 'killed' }
  host.emit({ event: 'Terminated', payload })
  expect(await early).toEqual(payload)
  expect(closed).toHaveBeenCalledExactlyOnceWith(payload)
  host.drop()
  await settle()
  expect(await child.wait()).toEqual(payload)
})

test('wait_resolves_for_a_child_that_ended_before_the_reply', async () => {
  const host = new Host()
  host.on('spawn', () => {
    host.terminated(4)
    return host.started(PID)
  })
  const child = await Command.sidecar('name').spawn()
  await settle()
  expect(await child.wait()).toMatchObject({ code: 4 })
})

test('wait_needs_nobody_to_read_the_output', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  const child = await command.spawn()
  const unread = command.stdout[Symbol.asyncIterator]()
  host.stdout('a')
  host.terminated()
  await settle()
  expect(await child.wait()).toMatchObject({ code: 0 })
  expect((await unread.next()).value).toBe('a')
})

test('parity_23_list_and_kill', async () => {
  const host = new Host()
  const info = { pid: PID, program: 'name', backend: 'component', memory: 65536, cpuTime: null }
  host.on('list', () => [info])
  expect(await children()).toEqual([info])
  await new Child(PID).kill()
  expect(host.requests.map(({ command, args }) => [command, args])).toEqual([
    ['list', {}],
    ['kill', { pid: PID }]
  ])
})

test('a_channel_that_breaks_ends_the_child', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  const log: unknown[] = []
  command.on('error', (error) => log.push(error)).on('close', (payload) => log.push(payload))
  const child = await command.spawn()
  const lines = command.stdout[Symbol.asyncIterator]()
  host.stdout('a')
  await settle()
  host.drop()
  const reason = 'the host stopped telling about the child before it ended'
  expect(log).toEqual([reason, { code: null, signal: null, reason }])
  expect(await child.wait()).toMatchObject({ reason })
  expect([(await lines.next()).value, (await lines.next()).done]).toEqual(['a', true])
  expect(host.callbacks()).toBe(0)
})

test('a_channel_that_breaks_before_the_reply_ends_the_child_after_it', async () => {
  const host = new Host()
  host.on('spawn', () => {
    host.drop()
    return host.started(PID)
  })
  const child = await Command.sidecar('name').spawn()
  await settle()
  expect(await child.wait()).toMatchObject({ code: null, signal: null })
})

test('a_channel_that_is_dropped_with_a_refusal_is_no_event', async () => {
  const host = new Host()
  host.on('spawn', () => {
    host.drop()
    throw 'refused'
  })
  const command = Command.sidecar('name')
  const log = vi.fn()
  command.on('error', log).on('close', log)
  await expect(command.spawn()).rejects.toBe('refused')
  await settle()
  expect(log).not.toHaveBeenCalled()
})

test('the_end_comes_once', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  const log = vi.fn()
  command.on('error', log).on('close', log)
  command.stdout.on('data', log)
  await command.spawn()
  host.terminated()
  host.terminated()
  host.stdout('a')
  host.drop()
  expect(log).toHaveBeenCalledTimes(1)
  expect(host.callbacks()).toBe(0)
})

test('the_end_comes_once_also_while_it_is_held', async () => {
  const host = new Host()
  const command = Command.sidecar('name')
  await command.spawn()
  host.terminated(1)
  host.terminated(2)
  const log: unknown[] = []
  command.on('close', ({ code }) => log.push(code))
  command.stdout.on('data', (line) => log.push(line))
  host.stdout('a')
  await settle()
  expect(log).toEqual([1])
})

test.each(['ended', 'refused'])('nothing_holds_the_command_of_a_child_that_is_%s', async (how) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const host = new Host()
  if (how === 'refused') {
    host.on('spawn', () => {
      throw 'refused'
    })
  }
  // The handle and Tauri's callback stay: the host has not let go of the channel.
  const { weak, child } = await (async () => {
    const command = Command.sidecar('name')
    command.stdout.on('data', () => {})
    const child = await command.spawn().catch(() => undefined)
    if (child) host.terminated()
    await settle()
    return { weak: new WeakRef(command), child }
  })()
  for (let round = 0; round < 10 && weak.deref(); round++) {
    await flush()
    collectGarbage()
  }
  expect(weak.deref()).toBeUndefined()
  expect(host.callbacks()).toBe(1)
  expect(child?.pid).toBe(how === 'refused' ? undefined : PID)
})
