// The whole window against a pretended host: what a person clicks and types, and what then stands there.
import { clearMocks, mockIPC } from '@tauri-apps/api/mocks'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { CATALOG } from '../src/mock/catalog'
import { App } from '../src/state'
import { mount } from '../src/view/window'
import { choose, closeWindow, get, key, openWindow, shown, status, type } from './support'

beforeEach(openWindow)
afterEach(closeWindow)

test('everything a driver needs is there', () => {
  const ids = ['args', 'start', 'kill', 'status', 'stdout', 'stderr', 'stdin', 'send', 'close-stdin', 'race']
  ids.push('race-result', 'notice', 'drop-input', 'drop-result', 'memory', 'cpu', 'first-byte')
  for (const id of ids) expect(get(id), id).not.toBeNull()
  for (const { name } of CATALOG) expect(get(`sidecar-${name.replaceAll('/', '-')}`), name).not.toBeNull()
  expect(get('status').textContent).toBe('idle')
})

test('each field has a label, and each control a name', () => {
  for (const field of document.querySelectorAll<HTMLInputElement>('input, textarea')) {
    expect(field.labels!.length, field.id).toBe(1)
  }
  for (const button of document.querySelectorAll('button')) expect(button.textContent).not.toBe('')
})

describe('the list', () => {
  test('is one tab stop, and arrows move through it', async () => {
    const items = [...document.querySelectorAll<HTMLElement>('[role=option]')]
    const stops = () => items.map(({ tabIndex }) => tabIndex).filter((index) => index === 0).length
    const last = items.length - 1
    const moves = [
      ['ArrowDown', 1],
      ['ArrowDown', 2],
      ['ArrowUp', 1],
      ['End', last],
      ['ArrowDown', last],
      ['Home', 0],
      ['ArrowUp', 0],
    ] as const
    for (const [pressed, index] of moves) {
      key(document.querySelector('[role=option][aria-selected=true]')!, pressed)
      await Promise.resolve()
      expect(items.findIndex((item) => item.getAttribute('aria-selected') === 'true')).toBe(index)
      expect(document.activeElement).toBe(items[index])
      expect(stops()).toBe(1)
    }
  })
})

describe('a run', () => {
  test('from start to exit, with its output', async () => {
    get('start').click()
    await status('exited 0')
    await shown('stdout', '"total"')
    expect(get('first-byte').textContent).toMatch(/^[\d.]+ ms$/)
    expect(get('stderr').textContent).toBe('')
    expect(get('notice').hidden).toBe(true)
    expect(get<HTMLButtonElement>('start').disabled).toBe(false)
    expect(get<HTMLButtonElement>('kill').disabled).toBe(true)
  })

  test('a conversation: send, answer, close', async () => {
    await choose('echo-python')
    expect(get<HTMLTextAreaElement>('stdin').value).toBe('hello from the window')
    expect(get<HTMLButtonElement>('send').disabled).toBe(true)
    get('start').click()
    await status('running as component')
    key(get('stdin'), 'Enter', { shiftKey: true })
    key(get('stdin'), 'Enter')
    await shown('stdout', 'hello from the window\n')
    type('stdin', 'again')
    get('send').click()
    await shown('stdout', 'hello from the window\nagain\n')
    await vi.waitFor(() => expect(get('memory').textContent).toMatch(/MiB$/))
    expect(get('cpu').textContent).toMatch(/s$/)
    get('close-stdin').click()
    await status('exited 0')
    expect(get<HTMLButtonElement>('close-stdin').disabled).toBe(true)
  })

  test('goes on while another sidecar is looked at', async () => {
    await choose('spin')
    get('start').click()
    await status('running as component')
    await choose('echo-go')
    expect(get('status').textContent).toBe('idle')
    await choose('spin')
    expect(get('status').textContent).toBe('running as component')
    await shown('stdout', 'spinning\n')
    get('kill').click()
    await status('killed')
  })

  test('a trap is told once, in a notice', async () => {
    await choose('trap')
    get('start').click()
    await status('trapped')
    expect(get('notice').querySelectorAll('.notice')).toHaveLength(1)
    expect(get('notice').textContent).toContain('call stack exhausted')
    expect(get('notice').hidden).toBe(false)
    await choose('spin')
    expect(get('notice').hidden).toBe(true)
  })

  test('a used-up limit has its name', async () => {
    await choose('memory-hog')
    get('start').click()
    await status('out of memory')
  })

  test('a denied access is told', async () => {
    await choose('fs-probe')
    get('start').click()
    await status('exited 0')
    expect(get('notice').textContent).toContain('access was refused')
    expect(get('notice').textContent).toContain('/notes/today.txt')
  })

  test('a refused start is told', async () => {
    await choose('missing')
    get('start').click()
    await status('refused')
    expect(get('notice').textContent).toContain('The start was refused')
    expect(get<HTMLButtonElement>('start').disabled).toBe(false)
  })

  test('a native program is said to be unconfined', async () => {
    await choose('native-upper')
    get('start').click()
    await status('running as native')
    expect(document.querySelector('.page-sidecar .granted')!.textContent).toContain('all of your rights')
  })

  test('arguments that cannot be split are not started', async () => {
    type('args', '"open')
    get('start').click()
    await shown('status', 'idle')
    await vi.waitFor(() => expect(document.querySelector('#args-error')!.textContent).toBe('a " is not closed'))
    expect(get('args').getAttribute('aria-invalid')).toBe('true')
  })
})

test('a race shows its outcome only where there is a fallback', async () => {
  get('race').click()
  await shown('race-result', '2.8 times sooner')
  expect(get('race-result').textContent).toContain('0.92 ms')
  await choose('spin')
  expect(get('race').hidden).toBe(true)
  expect(get('race-result').parentElement!.hidden).toBe(true)
})

test('there is no list without a host, and the window says so', async () => {
  clearMocks()
  mockIPC(() => Promise.reject('the catalog is not readable'))
  document.body.innerHTML = '<div id="app"></div>'
  const broken = new App()
  mount(broken, document.querySelector('#app')!)
  await broken.load()
  await shown('notice', 'the catalog is not readable')
})
