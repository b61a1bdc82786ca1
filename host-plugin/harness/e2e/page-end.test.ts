/**
 * What becomes of children when their page or their window goes away.
 */
import { expect, test } from 'vitest'
import { useSession } from './session.js'

const session = useSession()

/** Names of the children that the current window may use. */
const programs = () => window.__TAURI__.wasiSidecar.children().then((all) => all.map(({ program }) => program).sort())

/** Starts one of each kind that never ends by itself. */
async function startEndless(): Promise<void> {
  await Promise.all(['fallbacks/spin', 'guests/spin'].map((program) => kit.spinning(program)))
}

const noneLeft = () =>
  kit.until('no child to be left', async () => (await window.__TAURI__.wasiSidecar.children()).length === 0, 10_000)

test('parity_33_a_reload_ends_the_children_of_the_page', async () => {
  const { processes } = session.browser
  await session.run(startEndless)
  expect(await session.run(programs)).toEqual(['fallbacks/spin', 'guests/spin'])
  await processes.count('spin', 1)
  await session.reload()
  await session.run(noneLeft)
  await processes.count('spin', 0)
})

test('parity_33_a_reload_in_the_middle_of_a_flood_leaves_a_page_that_works', async () => {
  for (const encoding of ['raw', undefined]) {
    await session.run(async (encoding) => {
      // Endless output in both directions of what can hold it up: one that is taken, and one that nobody takes.
      const commands = ['guests/flood', 'fallbacks/flood', 'guests/lines', 'fallbacks/lines'].map((program) =>
        kit.command(program, program.endsWith('flood') ? [] : ['1000000000'], encoding ? { encoding } : {})
      )
      window.left.unread = commands[0]!.stdout[Symbol.asyncIterator]()
      const outputs = commands.slice(encoding ? 1 : 2).map((command) => kit.first(command))
      await Promise.all(commands.map((command) => command.spawn()))
      await Promise.all(outputs)
    }, encoding)
    await session.reload()
    await session.run(noneLeft)
    await session.browser.processes.count('flood', 0)
    await session.browser.processes.count('lines', 0)
    const again = await session.run(() => kit.transcript('guests/lines', ['2000']))
    expect(again.stdout).toHaveLength(2000)
    expect(again).toMatchObject({ errors: [], code: 0, signal: null })
  }
})

test('parity_33_a_reload_while_a_write_waits_ends_the_child', async () => {
  for (const kind of ['guests', 'fallbacks']) {
    await session.run(async (kind) => {
      const child = await kit.spinning(`${kind}/spin`)
      void child.write(new Uint8Array(300_000)).catch(() => {})
      await window.__TAURI__.core.invoke('no_op')
    }, kind)
    await session.reload()
    await session.run(noneLeft)
    await session.browser.processes.count('spin', 0)
  }
})

test('parity_33_a_destroyed_window_ends_its_children_and_no_others', async () => {
  const { processes } = session.browser
  await session.run(startEndless)
  await session.inWindow('second', async ({ back }) => {
    expect(await session.run(programs)).toEqual([])
    await session.run(startEndless)
    await processes.count('spin', 2)
    await back()
  })
  await processes.count('spin', 1)
  expect(await session.run(programs)).toEqual(['fallbacks/spin', 'guests/spin'])
  // Who has its name would be told of its children.
  await session.inWindow('second', async () => {
    await session.run(noneLeft)
  })
  await session.run(async () => {
    const { Child, children } = window.__TAURI__.wasiSidecar
    await Promise.all((await children()).map(({ pid }) => new Child(pid).kill()))
  })
  await processes.count('spin', 0)
})
