/**
 * A page that calls the commands itself, as the shell plugin's JavaScript does: it asks for no batches and acknowledges nothing.
 */
import { expect, test } from 'vitest'
import { useSession } from './session.js'

const session = useSession()

test('parity_23_a_hand_written_caller_gets_the_shell_plugins_messages', async () => {
  const messages = await session.run(async () => {
    const { Channel, invoke } = window.__TAURI__.core
    const run = (command: string, program: string, options: object) =>
      kit.within(
        new Promise<unknown[]>((resolve, reject) => {
          const seen: unknown[] = []
          const onEvent = new Channel<{ event: string; payload: Record<string, unknown> }>((message) => {
            // What we add is no part of the comparison.
            if (message.event === 'Terminated') delete message.payload.reason
            seen.push(message)
            if (message.event === 'Terminated') resolve(seen)
          })
          const args = ['3', 'a\n\nä', 'b\n']
          invoke(command, { program, args, options, onEvent }).then((pid) => {
            if (typeof pid !== 'number') reject(new Error(`not a pid: ${JSON.stringify(pid)}`))
          }, reject)
        }),
        'the last message'
      )
    // The streams are apart, so the order between them is not told.
    const sorted = (list: unknown[]) => list.map((message) => JSON.stringify(message)).sort()
    const ours = await run('plugin:wasi-sidecar|spawn', 'guests/exit', { sidecar: true })
    const theirs = await run('plugin:shell|spawn', 'exit', {})
    const raw = await run('plugin:wasi-sidecar|spawn', 'guests/exit', { sidecar: true, encoding: 'raw' })
    return { ours: sorted(ours), theirs: sorted(theirs), raw }
  })
  expect(messages.ours).toEqual(messages.theirs)
  expect(messages.ours).toHaveLength(5)
  expect(messages.raw).toContainEqual({ event: 'Stderr', payload: [98, 10] })
  expect(messages.raw.at(-1)).toEqual({ event: 'Terminated', payload: { code: 3, signal: null } })
})

test('parity_23_a_hand_written_caller_writes_text_and_numbers_and_kills', async () => {
  const lines = await session.run(async () => {
    const { Channel, invoke } = window.__TAURI__.core
    const seen: any[] = []
    const onEvent = new Channel<any>((message) => seen.push(message))
    const request = { program: 'guests/upper', args: null, options: { sidecar: true }, onEvent }
    const pid = await invoke('plugin:wasi-sidecar|spawn', request)
    await invoke('plugin:wasi-sidecar|stdin_write', { pid, buffer: 'text ä\n' })
    await invoke('plugin:wasi-sidecar|stdin_write', { pid, buffer: [98, 121, 116, 101, 115, 10] })
    await kit.until('both lines', () => seen.length === 2)
    await invoke('plugin:wasi-sidecar|kill', { pid })
    await kit.until('the end', () => seen.length === 3)
    return seen
  })
  expect(lines).toMatchObject([
    { event: 'Stdout', payload: 'TEXT ä\n' },
    { event: 'Stdout', payload: 'BYTES\n' },
    { event: 'Terminated', payload: { code: null, signal: 9 } }
  ])
})

for (const [width, count] of [[80, 50_000], [20_000, 200]] as const) {
  test(`parity_23_four_megabytes_in_lines_of_${width}_bytes_come_without_being_acknowledged`, async () => {
    const result = await session.run(
      async (width, count) => {
        const { Channel, invoke } = window.__TAURI__.core
        let lines = 0
        let last: unknown
        const onEvent = new Channel<any>(({ event, payload }) => {
          last = event
          if (event === 'Stdout' && payload === `line ${lines + 1} `.padEnd(width - 1, '.') + '\n') lines += 1
        })
        const args = [String(count), String(width)]
        await invoke('plugin:wasi-sidecar|spawn', { program: 'guests/lines', args, options: { sidecar: true }, onEvent })
        await kit.until('the end', () => last === 'Terminated', 60_000).catch(() => {})
        return { lines, last }
      },
      width,
      count
    )
    expect(result).toEqual({ lines: count, last: 'Terminated' })
  })
}
