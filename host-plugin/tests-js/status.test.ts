/**
 * Asking how far a sidecar's code is, and being told.
 */
import { mockIPC } from '@tauri-apps/api/mocks'
import { emit } from '@tauri-apps/api/event'
import { expect, test } from 'vitest'
import { onStatus, status, type SidecarStatus } from '../guest-js/index.js'
import { Host } from './support/host.js'

test('status_asks_for_the_name_it_was_given', async () => {
  const host = new Host()
  const compiling: SidecarStatus = { name: 'binaries/name', status: 'compiling', elapsed: 12 }
  host.on('status', () => compiling)
  expect(await status('name')).toEqual(compiling)
  expect(host.sent('status').map(({ args }) => args)).toEqual([{ program: 'name' }])
})

test('status_rejects_with_what_the_host_says', async () => {
  const host = new Host()
  host.on('status', () => {
    throw 'sidecar not configured'
  })
  await expect(status('name')).rejects.toBe('sidecar not configured')
})

test('on_status_hears_every_change_until_it_is_ended', async () => {
  mockIPC(() => {}, { shouldMockEvents: true })
  const seen: SidecarStatus[] = []
  const stop = await onStatus((status) => seen.push(status))
  const queued: SidecarStatus = { name: 'a', status: 'queued' }
  const ready: SidecarStatus = { name: 'a', status: 'ready', origin: 'cache' }
  await emit('wasi-sidecar://status', queued)
  await emit('another://event', ready)
  await emit('wasi-sidecar://status', ready)
  expect(seen).toEqual([queued, ready])
  stop()
  await emit('wasi-sidecar://status', queued)
  expect(seen).toHaveLength(2)
})
