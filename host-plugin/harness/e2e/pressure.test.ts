/**
 * A page that does not keep up: what a child may write then is bounded, and nothing of it is lost.
 */
import { expect, test } from 'vitest'
import { cpuTime, privateMemory } from './processes.js'
import { useSession } from './session.js'
import { pause, until } from './until.js'

const session = useSession()

/** What the app may grow by for each child whose output is not read. */
const ALLOWED = 2 * 1024 * 1024
/** Children that are started together, so that what is made once and what was left by others weigh little. */
const CHILDREN = 8
/** Thirty times what may be unacknowledged. */
const TOTAL = 30_000_000

/** What is written: bytes without lines, or text in lines of a hundred bytes. */
const PROGRAMS = {
  raw: ['flood', ['stdout', String(TOTAL)], { encoding: 'raw' }],
  lines: ['lines', [String(TOTAL / 100), '100'], {}]
} as const

type Kind = 'guests' | 'fallbacks'
type Form = keyof typeof PROGRAMS

for (const kind of ['guests', 'fallbacks'] as const) {
  for (const form of ['raw', 'lines'] as const) {
    test(`parity_32_a_page_that_does_not_read_${form}_holds_back_${kind}`, async () => {
      await unread(kind, form)
      const before = memory()
      // Those before are still there, so none of them has left memory to be used again.
      const { time, used } = await unread(kind, form)
      const growth = memory() - before
      expect(growth / CHILDREN).toBeLessThan(ALLOWED)
      await pause(300)
      expect(await time()).toBe(used)

      // One that is read after all misses nothing.
      const result = await session.run(async () => {
        const { iterator, child } = window.left.running.shift()
        let [bytes, lines] = [0, 0]
        for await (const piece of iterator) {
          if (piece instanceof Uint8Array) kit.checkFlood(piece, bytes)
          else if (!piece.startsWith(`line ${++lines} `)) throw new Error(`line ${lines} is ${piece}`)
          bytes += piece.length
        }
        return { bytes, end: await child.wait() }
      })
      expect(result).toMatchObject({ bytes: TOTAL, end: { code: 0 } })
      await session.run(endAll)
    })
  }

  test(`parity_32_a_page_that_is_busy_holds_back_${kind}`, async () => {
    const busy = (kind: Kind, ms: number) =>
      session.run(
        async (kind, ms) => {
          const command = window.__TAURI__.wasiSidecar.Command.sidecar(`${kind}/flood`, [], { encoding: 'raw' })
          let bytes = 0
          command.stdout.on('data', (piece) => (bytes += piece.length))
          const child = await command.spawn()
          await kit.until('output', () => bytes > 0)
          const end = performance.now() + ms
          while (performance.now() < end);
          const after = bytes
          await kit.until('more', () => bytes > after + 5_000_000)
          await child.kill()
        },
        kind,
        ms
      )
    // What is made once and kept is no growth.
    for (let i = 0; i < 3; i++) await busy(kind, 500)
    const before = memory()
    const done = busy(kind, 1500)
    let most = 0
    let running = true
    void done.finally(() => (running = false)).catch(() => {})
    while (running) {
      most = Math.max(most, memory() - before)
      await pause(20)
    }
    await done
    expect(most).toBeLessThan(ALLOWED)
  })
}

function memory(): number {
  const [app] = session.browser.processes.running('webview-harness')
  return privateMemory(app!)
}

async function endAll(): Promise<void> {
  for (const { child } of window.left.running.splice(0)) await child.kill()
}

/** Starts children that write to iterators that nobody asks, and waits until they and those before them stand still. */
async function unread(kind: Kind, form: Form): Promise<{ time: () => Promise<number>; used: number }> {
  const [name, args, options] = PROGRAMS[form]
  await session.run(
    async (program, args, options, count) => {
      window.left.running ??= []
      for (let i = 0; i < count; i++) {
        const command = kit.command(program, [...args], options)
        const iterator = command.stdout[Symbol.asyncIterator]()
        window.left.running.push({ iterator, child: await command.spawn() })
      }
    },
    `${kind}/${name}`,
    args,
    options,
    CHILDREN
  )
  /** How long all of them have computed. */
  const time = async () => {
    const { processes } = session.browser
    const all =
      kind === 'fallbacks'
        ? processes.running(name).map(cpuTime)
        : await session.run(async () => (await window.__TAURI__.wasiSidecar.children()).map((child) => child.cpuTime!))
    expect(all.length % CHILDREN).toBe(0)
    return all.reduce((sum, one) => sum + one, 0)
  }
  let used = -1
  await until('the children to stand still', async () => {
    const earlier = used
    used = await time()
    await pause(300)
    return used === earlier && used === (await time())
  }, 30_000)
  return { time, used }
}
