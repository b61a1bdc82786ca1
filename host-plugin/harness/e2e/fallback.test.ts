/**
 * A page whose content security policy blocks the IPC protocol: Tauri then goes by `postMessage`, where all is JSON.
 */
import { expect, test } from 'vitest'
import { useSession } from './session.js'

const session = useSession()

test('parity_26_bytes_stay_bytes_where_the_ipc_protocol_is_blocked', async () => {
  const result = await session.run(async () => {
    const { Command } = window.__TAURI__.wasiSidecar
    window.fetch = () => Promise.reject(new Error('blocked'))

    const flood = Command.sidecar('guests/flood', ['stdout', '3000000'], { encoding: 'raw' })
    let total = 0
    let real = true
    flood.stdout.on('data', (bytes) => {
      real &&= bytes instanceof Uint8Array
      kit.checkFlood(bytes, total)
      total += bytes.length
    })
    const flooded = kit.closed(flood)
    await flood.spawn()
    await flooded

    const echo = Command.sidecar('guests/echo', [], { encoding: 'raw' })
    const bytes: number[] = []
    echo.stdout.on('data', (piece) => bytes.push(...piece))
    const child = await echo.spawn()
    await child.write(Uint8Array.from({ length: 256 }, (_, i) => i))
    await child.closeStdin()
    await kit.within(child.wait(), 'the echo')

    const executed = await Command.sidecar('guests/flood', ['stdout', '100000'], { encoding: 'raw' }).execute()
    kit.checkFlood(executed.stdout, 0)
    const text = await kit.transcript('guests/lines', ['5000'])
    return { total, real, bytes, executed: executed.stdout.length, lines: text.stdout.length }
  })
  expect(result).toMatchObject({ total: 3_000_000, real: true, executed: 100_000, lines: 5000 })
  expect(result.bytes).toEqual(Array.from({ length: 256 }, (_, i) => i))
})
