/**
 * What is measured. Each row gives one number for one side: `guests` is our plugin, `shell` the other one.
 */
import { privateMemory } from './processes.js'
import type { Session } from './session.js'
import { pause, until } from './until.js'

export type Side = 'guests' | 'shell'

export interface Row {
  readonly name: string
  readonly unit: string
  /** More is better. The ratio is ours to theirs all the same. */
  readonly rate: boolean
  /** What the ratio should come to at least, or at most where less is better; and what would be better still. */
  readonly budget?: number
  readonly aim?: number
  /** Pairs to run. */
  readonly full: number
  readonly quick: number
  run(session: Session, side: Side): Promise<number>
}

/** Megabytes that take about a second and a half. */
const RAW = { guests: 100, shell: 6 }
/** Likewise, lines. */
const LINES = { guests: 250_000, shell: 15_000 }
/** Times a line goes there and back. */
const TRIPS = 400
/** How long a child does not read what is written to it. */
const BLOCKED = 3000
/** How long a page does not come to read. */
const BUSY = 2000
/** What memory may change by while nothing happens. */
const SETTLED = 65_536
/** The least by which memory can grow. */
const PAGE = 4096

export const ROWS: readonly Row[] = [
  { name: 'webview-raw', unit: 'MB/s', rate: true, budget: 10, full: 11, quick: 2, run: raw },
  { name: 'webview-lines', unit: 'lines/s', rate: true, budget: 5, full: 11, quick: 2, run: lines },
  { name: 'webview-no-op-while-blocked', unit: 'ms', rate: false, full: 5, quick: 1, run: noOp },
  { name: 'webview-ping-pong-p50', unit: 'ms', rate: false, full: 11, quick: 2, run: (...of) => pingPong(...of, 'p50') },
  { name: 'webview-ping-pong-p99', unit: 'ms', rate: false, full: 11, quick: 2, run: (...of) => pingPong(...of, 'p99') },
  { name: 'webview-unread', unit: 'MB', rate: false, full: 5, quick: 1, run: unread }
]

/** Raw output that is written in pieces of 64 KiB. */
function raw(session: Session, side: Side): Promise<number> {
  return session.run(
    async (side, bytes) => {
      const command = kit.command(`${side}/flood`, ['stdout', String(bytes), '65536'], { encoding: 'raw' })
      let total = 0
      command.stdout.on('data', (piece) => (total += piece.length))
      const closed = kit.closed(command)
      const start = performance.now()
      await command.spawn()
      await closed
      const seconds = (performance.now() - start) / 1000
      if (total !== bytes) throw new Error(`${total} of ${bytes} bytes came`)
      return total / 1e6 / seconds
    },
    side,
    RAW[side] * 1e6
  )
}

/** Lines of eighty bytes that are written in blocks of 4 KiB. */
function lines(session: Session, side: Side): Promise<number> {
  return session.run(
    async (side, count) => {
      const command = kit.command(`${side}/lines`, [String(count), '80'])
      let total = 0
      command.stdout.on('data', () => (total += 1))
      const closed = kit.closed(command)
      const start = performance.now()
      await command.spawn()
      await closed
      const seconds = (performance.now() - start) / 1000
      if (total !== count) throw new Error(`${total} of ${count} lines came`)
      return total / seconds
    },
    side,
    LINES[side]
  )
}

/** The slowest answer to a command that does nothing, while 300 KB are written to a child that does not read for a while. */
function noOp(session: Session, side: Side): Promise<number> {
  return session.run(
    async (side, blocked) => {
      const command = kit.command(`${side}/sleep`, [String(blocked)])
      const [line, closed] = [kit.first(command), kit.closed(command)]
      const child = await command.spawn()
      await line
      let settled = false
      const write = child.write('x'.repeat(300_000)).finally(() => (settled = true))
      let slowest = 0
      for (let i = 0; i < 300 && !settled; i++) {
        const start = performance.now()
        await window.__TAURI__.core.invoke('no_op')
        slowest = Math.max(slowest, performance.now() - start)
      }
      await child.kill()
      // It has not read all of it, and both say so.
      await write.catch(() => {})
      await closed
      return slowest
    },
    side,
    BLOCKED
  )
}

/**
 * A line of 64 bytes there and back. The page's clock has steps of a millisecond, so the median is that of blocks of twenty; the
 * slowest per cent is that of single ones.
 */
async function pingPong(session: Session, side: Side, which: 'p50' | 'p99'): Promise<number> {
  return await session.run(
    async (side, which, trips, block) => {
      const command = kit.command(`${side}/upper`)
      const child = await command.spawn()
      const ping = 'a'.repeat(63) + '\n'
      const trip = async () => {
        const answer = kit.first(command)
        await child.write(ping)
        if ((await answer) !== ping.toUpperCase()) throw new Error(`another answer: ${await answer}`)
      }
      for (let i = 0; i < 50; i++) await trip()
      const times: number[] = []
      const rounds = which === 'p50' ? block : 1
      for (let i = 0; i < trips / rounds; i++) {
        const start = performance.now()
        for (let j = 0; j < rounds; j++) await trip()
        times.push((performance.now() - start) / rounds)
      }
      await child.kill()
      times.sort((a, b) => a - b)
      return times[Math.round((times.length - 1) * (which === 'p50' ? 0.5 : 0.99))]!
    },
    side,
    which,
    TRIPS,
    20
  )
}

/** What the app grows by while a page that is busy does not come to take an endless output. */
async function unread(session: Session, side: Side): Promise<number> {
  const [app] = session.browser.processes.running('webview-harness')
  const before = await settled(app!)
  let running = true
  const done = session
    .run(
      async (side, busy) => {
        const command = kit.command(`${side}/flood`, [], { encoding: 'raw' })
        const child = await command.spawn()
        const end = performance.now() + busy
        while (performance.now() < end);
        await child.kill()
      },
      side,
      BUSY
    )
    .finally(() => (running = false))
  let most = before
  while (running) {
    await pause(20)
    most = Math.max(most, privateMemory(app!))
  }
  await done
  // What is not there any more shall not count for the next one.
  await session.reload()
  return Math.max(most - before, PAGE) / 1e6
}

/** What a process holds once it has given back what the rows before it took. */
async function settled(pid: number): Promise<number> {
  let memory = privateMemory(pid)
  let earlier = Infinity
  await until('memory to settle', async () => {
    earlier = memory
    await pause(500)
    memory = privateMemory(pid)
    return Math.abs(earlier - memory) <= SETTLED
  }, 20_000)
  return memory
}
