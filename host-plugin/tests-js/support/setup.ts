/**
 * Runs before each test file. The packages under test need a `window` for Tauri's internals and nothing else of a browser, so Node's
 * global object is one. Only `setTimeout` is faked: a test says when the macrotask after a spawn comes.
 */
import { clearMocks } from '@tauri-apps/api/mocks'
import { afterEach, beforeEach, vi } from 'vitest'

Object.assign(globalThis, { window: globalThis })

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  clearMocks()
})
