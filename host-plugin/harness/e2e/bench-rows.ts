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
  /** What our own number should come to at most, where the other side does not do the same. */
  readonly own?: number
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
/** Guests that do the app no good: each with its arguments, and how many of them run. Those that end are started again. */
const HOSTILE: readonly { name: string; args: string[]; count: number; ends: boolean }[] = [
  { name: 'spin', args: [], count: 12, ends: false },
  { name: 'flood', args: ['both', 'forever', '65536'], count: 12, ends: false },
  { name: 'lines', args: ['1000000000', '80', '--each'], count: 8, ends: false },
  { name: 'memory-hog', args: ['48'], count: 6, ends: true },
  { name: 'sleep', args: ['600000'], count: 6, ends: false },
  { name: 'trap', args: ['--recursion'], count: 6, ends: true }
]
/** Round trips, of which the slowest per cent is told; and the pause between two of them, in which guests come to run. */
const NO_OPS = { count: 500, pause: 4 }
/** What memory may change by while nothing happens. */
const SETTLED = 65_536
/** The least by which memory can grow. */
const PAGE = 4096

export const ROWS: readonly Row[] = [
  { name: 'webview-raw', unit: 'MB/s', rate: true, budget: 10, full: 5, quick: 2, run: raw },
  { name: 'webview-lines', unit: 'lines/s', rate: true, budget: 5, full: 5, quick: 2, run: lines },
  { name: 'webview-no-op-while-blocked', unit: 'ms', rate: false, full: 3, quick: 1, run: noOp },
  { name: 'webview-no-op-among-hostile', unit: 'ms', rate: false, own: 50, full: 3, quick: 1, run: amongHostile },
  { name: 'webview-ping-pong-p50', unit: 'ms', rate: false, full: 5, quick: 2, run: (...of) => pingPong(...of, 'p50') },
  { name: 'webview-ping-pong-p99', unit: 'ms', rate: false, full: 5, quick: 2, run: (...of) => pingPong(...of, 'p99') },
  { name: 'webview-unread', unit: 'MB', rate: false, full: 3, quick: 1, run: unread }
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
 * The slowest per cent of the answers to a command that does nothing, while fifty hostile guests run; for the other side, which
 * would run them natively, the app is idle. All the while a guest that does its work has to do it right.
 */
function amongHostile(session: Session, side: Side): Promise<number> {
  return session.run(
    async (side, hostile, { count, pause }) => {
      let over = false
      const running = new Set<{ kill(): Promise<void> }>()
      const lives: Promise<void>[] = []
      const live = async (name: string, args: string[], started: () => void) => {
        do {
          const command = kit.command(`guests/${name}`, args)
          const closed = new Promise<unknown>((resolve) => command.once('close', resolve))
          // Iterators that nobody asks: the output is not read, and the child is held back.
          const unread = name === 'flood' ? [command.stdout[Symbol.asyncIterator](), command.stderr[Symbol.asyncIterator]()] : []
          const slow = name === 'lines' ? command.stdout[Symbol.asyncIterator]() : undefined
          const child = await command.spawn()
          running.add(child)
          started()
          while (slow && !over && !(await slow.next()).done) await kit.pause(20)
          if (over) await child.kill().catch(() => {})
          await closed
          running.delete(child)
          for (const iterator of unread) await iterator.return?.()
        } while (!over)
      }
      if (side === 'guests') {
        for (const { name, args, count } of hostile) {
          for (let i = 0; i < count; i++) await new Promise<void>((started, failed) => lives.push(live(name, args, started).catch(failed)))
        }
      }
      const canary = kit.command('guests/upper')
      const gone = kit.closed(canary)
      const child = await canary.spawn()
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const start = performance.now()
        await window.__TAURI__.core.invoke('no_op')
        times.push(performance.now() - start)
        if (i % 25 === 0) {
          const answer = kit.first(canary)
          await child.write(`canary ${i}\n`)
          if ((await answer) !== `CANARY ${i}\n`) throw new Error(`the canary says: ${await answer}`)
        }
        await kit.pause(pause)
      }
      await child.kill()
      await gone
      const endless = hostile.reduce((sum, { count, ends }) => sum + (ends ? 0 : count), 0)
      if (side === 'guests' && running.size < endless) throw new Error(`${running.size} hostile guests run, not ${endless}`)
      over = true
      // One that has just ended is not known any more.
      await Promise.all([...running].map((child) => child.kill().catch(() => {})))
      await kit.within(Promise.all(lives), 'the hostile guests to end')
      times.sort((a, b) => a - b)
      return times[Math.round((times.length - 1) * 0.99)]!
    },
    side,
    HOSTILE,
    NO_OPS
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
