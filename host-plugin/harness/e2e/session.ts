/**
 * One harness for all tests of a file, since starting one costs seconds.
 */
import { afterAll, beforeAll } from 'vitest'
import { GUESTS, harness } from './environment.js'
import { KIT } from './kit.js'
import { until } from './until.js'
import { Browser } from './webdriver.js'

const PATIENCE = 10_000

export class Session {
  private opened: Browser | undefined

  get browser(): Browser {
    if (!this.opened) throw new Error('there is no session')
    return this.opened
  }

  async open(executable = harness('debug')): Promise<void> {
    this.opened = await Browser.open(executable, GUESTS.harness)
    await this.install()
  }

  async close(): Promise<void> {
    await this.opened?.close()
    this.opened = undefined
  }

  /** Runs a function in the current page; see {@link Browser.run}. */
  run<A extends unknown[], T>(script: (...args: A) => T, ...args: A): Promise<Awaited<T>> {
    return this.browser.run(script, ...args)
  }

  /** Loads the page again. */
  async reload(): Promise<void> {
    await this.browser.refresh()
    await this.install()
  }

  /** Opens another window, runs something there, and comes back. */
  async inWindow<T>(label: string, use: (window: OtherWindow) => Promise<T>): Promise<T> {
    const [main] = await this.browser.handles()
    if (!main) throw new Error('there is no window')
    await this.run((label) => window.__TAURI__.core.invoke('open_window', { label }), label)
    let other: string | undefined
    const find = async () => (other = (await this.browser.handles()).find((handle) => handle !== main)) !== undefined
    await until(`the window \`${label}\``, find, PATIENCE)
    const back = () => this.browser.switchTo(main)
    await this.browser.switchTo(other!)
    try {
      await this.install()
      return await use({ back, again: () => this.browser.switchTo(other!) })
    } finally {
      await back()
      await this.run(async (label) => window.__TAURI__.core.invoke('close_window', { label }).catch(() => {}), label)
      await until(`\`${label}\` to close`, async () => (await this.browser.handles()).length === 1, PATIENCE)
    }
  }

  private async install(): Promise<void> {
    const loaded = () => this.run(() => document.readyState === 'complete' && '__TAURI__' in window)
    await until('the page', loaded, PATIENCE)
    await this.run((script) => void (0, eval)(script), KIT)
  }
}

/** How to go between a window and the main one. */
export interface OtherWindow {
  back(): Promise<void>
  again(): Promise<void>
}

/** A session that lasts as long as the tests of the file. */
export function useSession(): Session {
  const session = new Session()
  beforeAll(() => session.open())
  afterAll(() => session.close())
  return session
}
