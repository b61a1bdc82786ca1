/**
 * What children write, as it arrives in the page.
 */
import { expect, test } from 'vitest'
import { useSession } from './session.js'

const session = useSession()

test('parity_37_the_global_is_there_beside_the_shell_plugins', async () => {
  const names = await session.run(() => Object.keys(window.__TAURI__.wasiSidecar).sort())
  expect(names).toEqual(['Child', 'Command', 'EventEmitter', 'children', 'onStatus', 'status'])
  expect(await session.run(() => typeof window.__TAURI__.shell.Command.create)).toBe('function')
})

test('parity_26_component_fallback_and_shell_plugin_tell_the_same', async () => {
  const rows: [string, string[]][] = [
    ['lines', ['500', '100']],
    ['exit', ['7', 'out\nunfinished', 'err\n\nunfinished']],
    ['args', ['a', 'ä 日本 🦀', '', 'two\nlines']],
    ['interleave', ['200']]
  ]
  for (const [name, args] of rows) {
    const all = await session.run(
      (name, args) => Promise.all(['guests', 'fallbacks', 'shell'].map((kind) => kit.transcript(`${kind}/${name}`, args))),
      name,
      args
    )
    const [component, fallback, shell] = all
    expect(component, name).toEqual(shell)
    expect(fallback, name).toEqual(shell)
    expect(shell!.stdout.length, name).toBeGreaterThan(0)
  }
})

test('parity_11_the_end_comes_once_and_last_and_wait_tells_the_same', async () => {
  const result = await session.run(async () => {
    const command = kit.command('guests/exit', ['3', 'text'])
    const seen: string[] = []
    command.stdout.on('data', (line) => seen.push(line))
    command.on('close', ({ code }) => seen.push(`closed with ${code}`))
    const closed = kit.closed(command)
    const child = await command.spawn()
    const first = await kit.within(child.wait(), 'the end')
    await closed
    return { seen, first, again: await child.wait(), backend: child.backend, pid: child.pid }
  })
  expect(result.seen).toEqual(['text', 'closed with 3'])
  expect(result.first).toMatchObject({ code: 3, signal: null })
  expect(result.again).toEqual(result.first)
  expect(result.backend).toBe('component')
  expect(result.pid).toBeGreaterThanOrEqual(0x8000_0000)
})

for (const kind of ['guests', 'fallbacks']) {
  test(`parity_26_ten_megabytes_of_raw_output_arrive_byte_for_byte_from_${kind}`, async () => {
    const result = await session.run(async (kind) => {
      const command = window.__TAURI__.wasiSidecar.Command.sidecar(`${kind}/flood`, ['stdout', '10000000'], { encoding: 'raw' })
      let total = 0
      let real = true
      command.stdout.on('data', (bytes) => {
        real &&= bytes instanceof Uint8Array
        kit.checkFlood(bytes, total)
        total += bytes.length
      })
      const closed = kit.closed(command)
      await command.spawn()
      return { code: (await closed).code, total, real }
    }, kind)
    expect(result).toEqual({ code: 0, total: 10_000_000, real: true })
  })

  test(`parity_07_fifty_thousand_lines_arrive_complete_and_in_order_from_${kind}`, async () => {
    const result = await session.run(async (kind) => {
      const { stdout, errors, code } = await kit.transcript(`${kind}/lines`, ['50000', '80'])
      const wrong = stdout.findIndex((line, i) => line !== `line ${i + 1} `.padEnd(79, '.') + '\n')
      return { lines: stdout.length, wrong, errors, code }
    }, kind)
    expect(result).toEqual({ lines: 50_000, wrong: -1, errors: [], code: 0 })
  })
}

test('parity_28_execute_collects_text_and_bytes', async () => {
  const result = await session.run(async () => {
    const { Command } = window.__TAURI__.wasiSidecar
    const args = ['5', 'out ä\nno end', 'err']
    const text = await kit.within(Command.sidecar('guests/exit', args).execute(), 'text')
    const raw = await kit.within(Command.sidecar('guests/flood', ['both', '3000000'], { encoding: 'raw' }).execute(), 'bytes')
    kit.checkFlood(raw.stdout, 0)
    kit.checkFlood(raw.stderr, 0)
    const real = raw.stdout instanceof Uint8Array && raw.stderr instanceof Uint8Array
    // Nobody can write to it, so it has to see the end of its input by itself.
    const input = await kit.within(Command.sidecar('guests/stdin-count').execute(), 'the end of input')
    return { text, code: raw.code, sizes: [raw.stdout.length, raw.stderr.length], real, input: input.stdout }
  })
  expect(result.text).toMatchObject({ code: 5, signal: null, stdout: 'out ä\nno end', stderr: 'err' })
  expect(result).toMatchObject({ code: 0, sizes: [3_000_000, 3_000_000], real: true, input: 'bytes=0 lines=0\n' })
})

test('parity_08_an_unfinished_line_comes_when_it_was_asked_for', async () => {
  const result = await session.run(async () => {
    const asked = kit.command('guests/echo', [], { flushPartialLines: 10 })
    const prompt = kit.first(asked)
    const one = await asked.spawn()
    await one.write('name? ')
    const early = await prompt
    await one.kill()

    const plain = kit.command('guests/echo')
    const line = kit.first(plain)
    const other = await plain.spawn()
    await other.write('name? ')
    await other.write('Ada\n')
    const late = await line
    await other.kill()
    return { early, late }
  })
  expect(result).toEqual({ early: 'name? ', late: 'name? Ada\n' })
})

test('parity_35_iteration_sees_everything_and_may_stop_early', async () => {
  const result = await session.run(async () => {
    const all = kit.command('guests/lines', ['3000'])
    await all.spawn()
    let count = 0
    for await (const line of all.stdout) {
      count += 1
      if (!line.startsWith(`line ${count} `)) throw new Error(`line ${count} is ${line}`)
    }

    // Ten times what may be unacknowledged: it only comes to its end if the loop that was left lets it go on.
    const left = kit.command('guests/lines', ['130000'])
    const child = await left.spawn()
    let first = ''
    for await (const line of left.stdout) {
      first = line
      break
    }
    const { code } = await kit.within(child.wait(), 'the child whose loop was left')
    return { count, first: first.slice(0, 7), code }
  })
  expect(result).toEqual({ count: 3000, first: 'line 1 ', code: 0 })
})
