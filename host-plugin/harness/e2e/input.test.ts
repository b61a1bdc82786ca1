/**
 * Writing to children and ending them, from the page.
 */
import { expect, test } from 'vitest'
import { useSession } from './session.js'

const session = useSession()

for (const kind of ['guests', 'fallbacks']) {
  test(`parity_13_text_and_every_byte_reach_${kind}_and_closing_ends_their_input`, async () => {
    const result = await session.run(async (kind) => {
      const command = window.__TAURI__.wasiSidecar.Command.sidecar(`${kind}/echo`, [], { encoding: 'raw' })
      const bytes: number[] = []
      command.stdout.on('data', (piece) => bytes.push(...piece))
      const closed = kit.closed(command)
      const child = await command.spawn()
      const all = Uint8Array.from({ length: 256 }, (_, i) => i)
      await child.write('ä🦀\n')
      await child.write(all)
      await child.write([...all])
      await child.closeStdin()
      const { code } = await closed
      return { bytes, code, expected: [...new TextEncoder().encode('ä🦀\n'), ...all, ...all] }
    }, kind)
    expect(result.bytes).toEqual(result.expected)
    expect(result.code).toBe(0)
  })

  test(`parity_30_writes_arrive_in_order_without_being_awaited_in_${kind}`, async () => {
    const result = await session.run(async (kind) => {
      const command = kit.command(`${kind}/upper`)
      const lines: string[] = []
      command.stdout.on('data', (line) => lines.push(line))
      const closed = kit.closed(command)
      const child = await command.spawn()
      for (let i = 0; i < 500; i++) void child.write(`line ${i}\n`)
      await child.closeStdin()
      await closed
      return lines
    }, kind)
    expect(result).toEqual(Array.from({ length: 500 }, (_, i) => `LINE ${i}\n`))
  })

  test(`parity_13_five_megabytes_are_written_to_${kind}`, async () => {
    const result = await session.run(async (kind) => {
      const command = kit.command(`${kind}/stdin-count`)
      const line = kit.first(command)
      const child = await command.spawn()
      await kit.within(child.write(new Uint8Array(5_000_000).fill(10)), 'the write')
      await child.closeStdin()
      return { line: await line, end: await kit.within(child.wait(), 'the end') }
    }, kind)
    expect(result).toMatchObject({ line: 'bytes=5000000 lines=5000000\n', end: { code: 0 } })
  })

  test(`parity_15_a_spinning_child_of_${kind}_is_killed`, async () => {
    const result = await session.run(async (kind) => {
      const command = kit.command(`${kind}/spin`)
      const [line, closed] = [kit.first(command), kit.closed(command)]
      const child = await command.spawn()
      await line
      await kit.within(child.kill(), 'the kill')
      const end = await closed
      // Once more is no error.
      await kit.within(child.kill(), 'the second kill')
      const refused = await kit.refusal(child.write('x'))
      return { end, refused, wait: await child.wait(), pid: child.pid }
    }, kind)
    expect(result.end).toMatchObject({ code: null, signal: 9 })
    expect(result.wait).toEqual(result.end)
    // Its pipe is broken at once, and a moment after its last message it is forgotten.
    expect(['Broken pipe', `no such child: ${result.pid}`]).toContain(result.refused)
  })
}

test('parity_31_an_unknown_child_is_refused', async () => {
  const refused = await session.run(() => {
    const stranger = new window.__TAURI__.wasiSidecar.Child(4_000_000_000)
    return Promise.all([kit.refusal(stranger.write('x')), kit.refusal(stranger.closeStdin()), kit.refusal(stranger.kill())])
  })
  expect(refused).toEqual(Array(3).fill('no such child: 4000000000'))
})

test('running_children_are_listed_with_what_they_use', async () => {
  const result = await session.run(async () => {
    const child = await kit.spinning('guests/spin')
    const { children } = window.__TAURI__.wasiSidecar
    const find = async () => (await children()).find(({ pid }) => pid === child.pid)
    const used = await kit.until('time', async () => {
      const info = await find()
      return info && info.cpuTime! > 0 && info
    })
    await child.kill()
    await kit.until('it to be gone', async () => (await find()) === undefined)
    return used
  })
  expect(result).toMatchObject({ program: 'guests/spin', backend: 'component' })
  expect(result.memory).toBeGreaterThan(0)
})

test('parity_30_a_write_that_waits_delays_nothing_else', async () => {
  for (const kind of ['guests', 'fallbacks']) {
    const result = await session.run(async (kind) => {
      const { invoke } = window.__TAURI__.core
      const child = await kit.spinning(`${kind}/spin`)
      let settled = false
      const write = child.write(new Uint8Array(300_000)).finally(() => (settled = true))
      const refusal = kit.refusal(write)
      let slowest = 0
      for (let i = 0; i < 100; i++) {
        const start = performance.now()
        await invoke('no_op')
        slowest = Math.max(slowest, performance.now() - start)
      }
      const pending = !settled
      await child.kill()
      return { slowest, pending, refused: await refusal }
    }, kind)
    expect(result, kind).toMatchObject({ pending: true, refused: 'Broken pipe' })
    expect(result.slowest, kind).toBeLessThan(500)
  }
})
