// The window of the tests: the real one, against the pretended host, in jsdom.
import { clearMocks } from '@tauri-apps/api/mocks'
import { expect, vi } from 'vitest'

import { mockHost } from '../src/mock/host'
import { pollUsage } from '../src/poll'
import { App } from '../src/state'
import { mount } from '../src/view/window'

/** jsdom lays nothing out. */
export class NoResizeObserver {
  observe(): void {}
}

export async function openWindow(): Promise<void> {
  vi.stubGlobal('ResizeObserver', NoResizeObserver)
  document.body.innerHTML = '<div id="app"></div>'
  mockHost()
  const app = new App()
  mount(app, document.querySelector('#app')!)
  pollUsage(app)
  await app.load()
}

export function closeWindow(): void {
  vi.unstubAllGlobals()
  clearMocks()
}

export function get<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  return document.querySelector<Kind>(`[data-testid="${id}"]`)!
}

export function key(element: Element, key: string, more: KeyboardEventInit = {}): void {
  element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }))
}

export function type(id: string, text: string): void {
  const field = get<HTMLInputElement>(id)
  field.value = text
  field.dispatchEvent(new Event('input', { bubbles: true }))
}

export async function choose(name: string): Promise<void> {
  get(`sidecar-${name}`).click()
  await Promise.resolve()
}

export async function status(text: string): Promise<void> {
  await vi.waitFor(() => expect(get('status').textContent).toBe(text))
}

export async function shown(id: string, text: string): Promise<void> {
  await vi.waitFor(() => expect(get(id).textContent).toContain(text))
}
