// A list in which something is not built yet: it says so, looks again, and stops looking once all are there.
import { mockIPC } from '@tauri-apps/api/mocks'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { awaitArrivals } from '../src/arrivals'
import { CATALOG } from '../src/mock/catalog'
import { App } from '../src/state'
import type { Entry } from '../src/types'
import { mount } from '../src/view/window'
import { choose, closeWindow, get, NoResizeObserver } from './support'

const NOT_THERE = { missing: true, artifact: null, error: '`go-echo.wasm` does not exist' }

let asked = 0
let answer: () => Entry[] | Promise<Entry[]>

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('ResizeObserver', NoResizeObserver)
  document.body.innerHTML = '<div id="app"></div>'
  asked = 0
  mockIPC((command) => (command === 'catalog' ? (asked++, answer()) : null))
})
afterEach(() => {
  closeWindow()
  vi.useRealTimers()
})

async function open(): Promise<App> {
  const app = new App()
  mount(app, document.querySelector('#app')!)
  awaitArrivals(app)
  await app.load()
  await vi.advanceTimersByTimeAsync(0)
  return app
}

function catalog(change: (entry: Entry) => Partial<Entry>): Entry[] {
  return structuredClone(CATALOG).map((entry) => ({ ...entry, error: null, ...change(entry) }))
}

const started = () => !get<HTMLButtonElement>('start').disabled

describe('a sidecar that is not built yet', () => {
  test('says so, and can be started once it is there', async () => {
    answer = () => catalog(({ name }) => (name === 'echo-go' ? NOT_THERE : {}))
    await open()
    await choose('echo-go')
    expect(get('status').textContent).toBe('not built yet')
    expect(get('unbuilt').textContent).toContain('cargo xtask demo')
    expect(get('notice').hidden).toBe(true)
    expect(get('sidecar-echo-go').title).toBe('not built yet')
    expect(started()).toBe(false)
    answer = () => catalog(() => ({}))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(get('status').textContent).toBe('idle')
    expect(get('unbuilt')).toBeNull()
    expect(started()).toBe(true)
  })

  test('is asked for until it is there, and nothing is asked after that', async () => {
    answer = () => catalog(({ name }) => (name === 'echo-go' ? NOT_THERE : {}))
    await open()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toBeGreaterThan(3)
    answer = () => catalog(() => ({}))
    await vi.advanceTimersByTimeAsync(5_000)
    const before = asked
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toBe(before)
  })

  test('is asked for again after a failure, which takes nothing away', async () => {
    answer = () => catalog(({ name }) => (name === 'echo-go' ? NOT_THERE : {}))
    const app = await open()
    answer = () => Promise.reject(new Error('busy'))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(app.entries.length).toBe(CATALOG.length)
    expect(get('notice').hidden).toBe(true)
    answer = () => catalog(() => ({}))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(app.entries.some(({ missing }) => missing)).toBe(false)
  })

  test('with a native fallback is started as that meanwhile', async () => {
    answer = () =>
      catalog(({ name }) => (name === 'echo-go' ? { ...NOT_THERE, error: null, fallback: 'unavailable' } : {}))
    await open()
    await choose('echo-go')
    expect(get('status').textContent).toBe('idle')
    expect(get('sidecar-echo-go').title).toBe('native program')
    expect(started()).toBe(true)
    answer = () => catalog(({ name }) => (name === 'echo-go' ? { fallback: 'unavailable' } : {}))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(get('sidecar-echo-go').title).toBe('sandboxed component')
  })
})

test('a list in which all are there is read once', async () => {
  answer = () => catalog(() => ({}))
  await open()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toBe(1)
})

test('of two answers that cross, the one that was asked for later counts', async () => {
  const answers: ((entries: Entry[]) => void)[] = []
  answer = () => catalog(() => ({}))
  const app = await open()
  answer = () => new Promise((resolve) => answers.push(resolve))
  const both = [app.refresh(), app.refresh()]
  await vi.advanceTimersByTimeAsync(0)
  answers[1]!(catalog(() => ({ title: 'later' })))
  answers[0]!(catalog(() => ({ title: 'earlier' })))
  await Promise.all(both)
  expect(app.entries[0]!.title).toBe('later')
})
