/**
 * What a window may not do: start what its capability does not name, and use another window's children.
 */
import { expect, test } from 'vitest'
import { useSession } from './session.js'

const session = useSession()

test('parity_43_a_window_with_the_default_permission_starts_nothing', async () => {
  await session.inWindow('guest', async () => {
    const refused = await session.run(() => {
      const command = kit.command('guests/args')
      const { children } = window.__TAURI__.wasiSidecar
      return Promise.all([command.spawn(), command.execute(), children()].map(kit.refusal))
    })
    // A release tells less.
    for (const [i, name] of ['spawn', 'execute', 'list'].entries()) {
      expect(refused[i]).toMatch(new RegExp(`^(Command plugin:wasi-sidecar\\||wasi-sidecar\\.)${name} not allowed`))
    }
  })
})

test('parity_38_what_the_scope_does_not_name_is_refused_with_a_string', async () => {
  const refused = await session.run(() => {
    const { Command } = window.__TAURI__.wasiSidecar
    // The last is one of the shell plugin's, by which this window may run a native program.
    const commands = [Command.sidecar('guests/nothing'), Command.sidecar('/bin/sh'), Command.create('echo')]
    return Promise.all(commands.flatMap((command) => [kit.refusal(command.spawn()), kit.refusal(command.execute())]))
  })
  for (const reason of refused) expect(reason).toMatch(/guests\/nothing|\/bin\/sh|echo/)
})

test('parity_34_another_window_cannot_use_a_child', async () => {
  const pid = await session.run(async () => {
    const command = kit.command('guests/upper')
    window.left.line = kit.first(command)
    window.left.child = await command.spawn()
    return window.left.child.pid as number
  })
  await session.inWindow('second', async () => {
    const result = await session.run(async (pid) => {
      const { Child, children } = window.__TAURI__.wasiSidecar
      const { invoke } = window.__TAURI__.core
      const child = new Child(pid)
      const attempts = [child.write('stolen\n'), child.closeStdin(), child.kill()]
      attempts.push(invoke('plugin:wasi-sidecar|stdin_write', { pid, buffer: 'stolen\n' }))
      return { refused: await Promise.all(attempts.map(kit.refusal)), listed: await children() }
    }, pid)
    expect(result).toEqual({ refused: Array(4).fill(`no such child: ${pid}`), listed: [] })
  })
  const line = await session.run(async () => {
    const { child, line } = window.left
    await child.write('mine\n')
    const answer = await line
    await child.kill()
    return answer
  })
  expect(line).toBe('MINE\n')
})
