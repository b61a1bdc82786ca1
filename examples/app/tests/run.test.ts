// One run, against a host whose answers the test decides: order of events, refusals, and what the host is asked for.
import { clearMocks, mockIPC } from '@tauri-apps/api/mocks'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { Run } from '../src/run'

interface Spawned {
  program: string
  args: string[]
  options: Record<string, unknown>
  onEvent: { id: number }
}

const PID = 0x8000_0001
const EXITED = { code: 0, signal: null, reason: null }

let answers: Record<string, () => unknown>
let asked: string[]
let spawned: Spawned
let index: number

beforeEach(() => {
  index = 0
  asked = []
  answers = { spawn: () => ({ pid: PID, backend: 'component' }) }
  mockIPC((command, payload) => {
    const name = command.replace('plugin:wasi-sidecar|', '')
    asked.push(name)
    if (name === 'spawn') spawned = payload as unknown as Spawned
    return answers[name]?.() ?? null
  })
})

afterEach(clearMocks)

function send(event: string, payload: unknown): void {
  type Internals = { runCallback(id: number, data: unknown): void }
  const { __TAURI_INTERNALS__: host } = window as unknown as { __TAURI_INTERNALS__: Internals }
  host.runCallback(spawned.onEvent.id, { message: { bytes: 0, events: [{ event, payload }] }, index: index++ })
}

async function started(args: string[] = []): Promise<Run> {
  const run = new Run([], () => {})
  await run.start('name', args)
  return run
}

test('the host is given the arguments, a lossy encoding, and asked for unfinished lines', async () => {
  const run = await started(['a', 'b c'])
  expect(spawned).toMatchObject({ program: 'name', args: ['a', 'b c'] })
  expect(spawned.options).toMatchObject({ sidecar: true, encoding: 'utf-8', flushPartialLines: 50 })
  expect(run).toMatchObject({ phase: 'running', pid: PID, backend: 'component', inputOpen: true, firstByte: null })
})

test('output goes where it belongs, and the first of it is timed', async () => {
  const run = await started()
  send('Stderr', 'careful\n')
  const { firstByte } = run
  expect(firstByte).toBeGreaterThan(0)
  send('Stdout', 'out\n')
  expect([run.stdout.text, run.stderr.text]).toEqual(['out\n', 'careful\n'])
  expect(run.firstByte).toBe(firstByte)
})

test('a run that is over before the answer to its start stays over', async () => {
  answers.spawn = () => {
    send('Stdout', 'quick\n')
    send('Terminated', EXITED)
    return { pid: PID, backend: 'component' }
  }
  const run = await started()
  await vi.waitFor(() => expect(run.status.text).toBe('exited 0'))
  expect(run).toMatchObject({ active: false, inputOpen: false })
  expect(run.stdout.text).toBe('quick\n')
})

test('a refused start is told in the words of the host', async () => {
  answers.spawn = () => Promise.reject('the scope does not allow `name`')
  const run = await started()
  expect(run.status.text).toBe('refused')
  expect(run.notices.list).toEqual([
    { title: 'The start was refused', text: 'the scope does not allow `name`', times: 1 },
  ])
})

test('what a program takes is counted, what it does not take is told', async () => {
  const run = await started()
  await run.write('grüße\n')
  expect(run).toMatchObject({ sent: 8, writing: 0 })
  answers.stdin_write = () => Promise.reject('broken pipe')
  await run.write('more\n')
  expect(run).toMatchObject({ sent: 8, writing: 0 })
  expect(run.notices.list).toEqual([{ title: 'The input was not taken', text: 'broken pipe', times: 1 }])
})

test('what is unwritten when a program ends is nobody’s fault', async () => {
  const run = await started()
  answers.stdin_write = () => {
    send('Terminated', EXITED)
    return Promise.reject('no such child')
  }
  await run.write('late\n')
  expect(run.notices.list).toEqual([])
})

test('input is closed once, and stays closed', async () => {
  const run = await started()
  await run.closeInput()
  expect(asked).toEqual(['spawn', 'close_stdin'])
  expect(run).toMatchObject({ inputOpen: false, active: true })
})

test('a kill is asked for and ends when the program does; a refused one can be tried again', async () => {
  const run = await started()
  answers.kill = () => Promise.reject('not now')
  await run.kill()
  expect(run).toMatchObject({ killing: false, active: true })
  expect(run.notices.has('It could not be killed')).toBe(true)
  answers.kill = () => null
  await run.kill()
  expect(run).toMatchObject({ killing: true, active: true })
  send('Terminated', { code: null, signal: 9, reason: 'killed' })
  expect(run.status.text).toBe('killed')
})

test('a fault without an event of its own is told from its reason', async () => {
  const run = await started()
  send('Terminated', { code: null, signal: 9, reason: 'ran out of time' })
  expect(run.status.text).toBe('out of time')
  expect(run.notices.list).toEqual([{ title: 'The sidecar failed', text: 'ran out of time', times: 1 }])
})
