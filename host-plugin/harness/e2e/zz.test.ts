import { test } from 'vitest'
import { Session } from './session.js'
import { ROWS } from './bench-rows.js'
// Interleaved over builds: V=comma list of binaries.
test('probe', async () => {
  const names = process.env.V!.split(',')
  const sessions: Session[] = []
  try {
    const row = ROWS.find(({ name }) => name === (process.env.ROW ?? 'webview-raw'))!
    const all: Record<string, number[]> = {}
    for (const n of names) { const s = new Session(); await s.open(`/tmp/h/${n}/webview-harness`); sessions.push(s); await row.run(s, 'guests') }
    for (let i = 0; i < 5; i++) {
      for (const [k, n] of names.entries()) (all[n] ??= []).push(await row.run(sessions[k]!, 'guests'))
      ;(all.shell ??= []).push(await row.run(sessions[0]!, 'shell'))
    }
    for (const [n, v] of Object.entries(all)) console.log('R', n, v.map((x) => x.toFixed(2)).join(' '), 'median', v.sort((a, b) => a - b)[2]!.toFixed(2))
  } finally { for (const s of sessions) await s.close() }
})
