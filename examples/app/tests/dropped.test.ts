// A dropped file in the window: it is looked at first, and runs only when somebody asks for it.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { choose, closeWindow, get, openWindow, shown, status } from './support'

beforeEach(openWindow)
afterEach(closeWindow)

describe('a dropped file', () => {
  const wasm = (size: number) => Uint8Array.from([0, 0x61, 0x73, 0x6d, 13, 0, 1, 0, ...new Array<number>(size).fill(0)])

  /** jsdom's files have a name, and no content that can be read. */
  function drop(name: string, content: Uint8Array): void {
    const file = { name, arrayBuffer: () => Promise.resolve(content.buffer) }
    Object.defineProperty(get('drop-input'), 'files', { value: [file], configurable: true })
    get('drop-input').dispatchEvent(new Event('change'))
  }

  test('is looked at, and runs only when asked to', async () => {
    await choose('dropped')
    expect(get<HTMLButtonElement>('start').disabled).toBe(true)
    drop('guest.wasm', wasm(100))
    await shown('drop-result', 'command component, WASI 0.2')
    for (const text of ['guest.wasm', '108 B', 'Runs hereyes', 'filesystem', '6 imports']) {
      expect(get('drop-result').textContent).toContain(text)
    }
    get('run-dropped').click()
    await vi.waitFor(() => expect(document.activeElement).toBe(get('start')))
    expect(get('sidecar-dropped').getAttribute('aria-selected')).toBe('true')
    get('start').click()
    await status('exited 3')
  })

  test('that does not run here says why, and cannot be started', async () => {
    drop('big.wasm', wasm(6000))
    await shown('drop-result', 'which this host does not offer')
    expect(get<HTMLButtonElement>('run-dropped').disabled).toBe(true)
  })

  test('that is no sidecar is refused in words', async () => {
    drop('evil\u202e.txt', new TextEncoder().encode('text'))
    await shown('drop-result', 'it is a text file')
    expect(get('drop-result').textContent).toContain('evil\\u{202e}.txt')
    expect(get('drop-result').querySelector('.notice')).not.toBeNull()
  })
})
