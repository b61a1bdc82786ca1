/**
 * The example app, opened while a sidecar of it is not built yet: it appears by itself.
 */
import { renameSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { click, picture, shows, text, type, useApp, window } from './app-window.js'
import { artifact } from './environment.js'

const ARTIFACT = artifact('go-echo')
const ASIDE = `${ARTIFACT}.aside`

let aside = false

// Before the window is opened.
beforeAll(() => {
  renameSync(ARTIFACT, ASIDE)
  aside = true
})
afterAll(arrive)

function arrive(): void {
  if (aside) renameSync(ASIDE, ARTIFACT)
  aside = false
}

useApp()

test('a sidecar that is not built yet says so, and answers as soon as it is there', async () => {
  await click('sidecar-sidecars-go')
  await shows('status', /not built yet/)
  await shows('unbuilt', /cargo xtask demo/)
  const isDisabled = () => document.querySelector<HTMLButtonElement>('[data-testid="start"]')!.disabled
  expect(await window.run(isDisabled)).toBe(true)
  await picture('arriving')
  arrive()
  await click('start')
  await shows('status', /running as component/)
  expect(await text('unbuilt')).toBe('')
  await type('stdin', 'hello, Go')
  await click('send')
  await shows('stdout', /hello, Go/)
  await picture('arrived')
})
