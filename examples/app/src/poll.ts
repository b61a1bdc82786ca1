// Asks the plugin twice a second what the running children use; never while none runs.
import { children } from 'tauri-plugin-wasi-sidecar-api'

import type { App } from './state'

const EVERY = 500

export function pollUsage(app: App): void {
  let timer: number | undefined
  let asking = false

  async function ask(): Promise<void> {
    if (asking) return
    asking = true
    try {
      const list = await children()
      for (const run of app.runs) {
        const child = list.find(({ pid }) => pid === run.pid)
        // Before its code runs it uses nothing, and there is nothing to show.
        if (!child || !run.active || child.memory === 0) continue
        run.memory = child.memory
        run.cpuTime = child.cpuTime
      }
      app.changed()
    } catch {
      // The figures are only shown; the next round may succeed.
    } finally {
      asking = false
    }
  }

  app.onChange(() => {
    const running = app.runs.some((run) => run.active && run.pid !== null)
    if (running && timer === undefined) {
      timer = window.setInterval(() => void ask(), EVERY)
      void ask()
    } else if (!running && timer !== undefined) {
      clearInterval(timer)
      timer = undefined
    }
  })
}
