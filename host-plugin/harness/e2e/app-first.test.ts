/**
 * The first thing to see of the example app, as soon as one sidecar is built: it answers, and leaves a picture.
 */
import { test } from 'vitest'
import { click, picture, shows, start, type, useApp } from './app-window.js'

useApp()

test('a component answers, and its native fallback does the same', async () => {
  for (const [name, backend] of [['upper', 'component'], ['upper-native', 'native']]) {
    await start(name!)
    await shows('status', new RegExp(`running as ${backend}`))
    await type('stdin', 'hello from the page')
    await click('send')
    await shows('stdout', /HELLO FROM THE PAGE/)
    if (name === 'upper') await picture('talking')
    await click('close-stdin')
    await shows('status', /exited 0/)
    await shows('first-byte', /\d.* ms/)
  }
})
