// Reads the list again while a sidecar of it is not built yet; never once all are there.
import type { App } from './state'

const EVERY = 1000

export function awaitArrivals(app: App): void {
  let timer: number | undefined

  async function look(): Promise<void> {
    await app.refresh()
    timer = undefined
    // Not left to the change that it has told of: that may have come before there was no timer.
    next()
  }

  function next(): void {
    if (timer !== undefined || !app.entries.some(({ missing }) => missing)) return
    timer = window.setTimeout(() => void look(), EVERY)
  }

  app.onChange(next)
}
