/**
 * A client of WebKitWebDriver, as small as these tests need it. It starts the driver, which starts the app; closing it ends
 * both, and everything they have started.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { need } from './environment.js'
import { Processes } from './processes.js'
import { until } from './until.js'

/** How long a script in the page may take; each has shorter deadlines of its own. */
const SCRIPT = 90_000
/** How long the driver may take to answer, and the app to start or to end. */
const DRIVER = 20_000
/** Characters of what driver and app print that an error shows. */
const LOG = 4_000

export class Browser {
  private log = ''
  private session = ''

  private constructor(
    private readonly port: number,
    private readonly driver: ChildProcess,
    readonly processes: Processes
  ) {
    for (const stream of [driver.stdout, driver.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.log = (this.log + text).slice(-LOG)))
    }
  }

  /** The last of what driver and app have printed. */
  get output(): string {
    return this.log
  }

  /** Starts a driver and with it an app, whose window has then loaded its page. These guests have to be built. */
  static async open(executable: string, guests: readonly string[]): Promise<Browser> {
    const { driver, env } = need(executable, guests)
    const port = await freePort()
    const processes = new Processes(randomUUID())
    const child = spawn(driver, [`--port=${port}`, '--host=127.0.0.1'], {
      env: { ...env, ...processes.env },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const browser = new Browser(port, child, processes)
    // Whichever way the test runner ends this process, nothing is left behind.
    process.once('exit', () => processes.kill())
    process.once('SIGTERM', () => process.exit(1))
    try {
      await until('the driver', () => browser.isReady(), DRIVER, () => browser.log)
      // No `browserName`: the app is none that the driver knows.
      const alwaysMatch = { 'webkitgtk:browserOptions': { binary: executable, args: [] } }
      const { sessionId } = await browser.request<{ sessionId: string }>('POST', '/session', { capabilities: { alwaysMatch } })
      browser.session = `/session/${sessionId}`
      await browser.command('POST', '/timeouts', { script: SCRIPT })
      await until('the page', () => browser.hasLoaded(), DRIVER, () => browser.log)
      return browser
    } catch (error) {
      await browser.close()
      throw error
    }
  }

  /**
   * Runs a function in the page of the current window, and returns what it returns. Its text is sent, so it sees its arguments and
   * what is global there, and nothing of the test.
   */
  async run<A extends unknown[], T>(script: (...args: A) => T, ...args: A): Promise<Awaited<T>> {
    const answer = await this.command<{ value: Awaited<T> } | { error: string }>('POST', '/execute/async', {
      script: `const done = Array.prototype.pop.call(arguments)
        Promise.resolve().then(() => (${script})(...arguments)).then(
          (value) => done({ value }),
          (error) => done({ error: typeof error === 'string' ? error : error.name + ': ' + error.message + '\\n' + error.stack }))`,
      args
    })
    if ('error' in answer) throw new Error(`in the page: ${answer.error}`)
    return answer.value
  }

  /** The windows; one that the app has opened is among them. */
  handles(): Promise<string[]> {
    return this.command('GET', '/window/handles')
  }

  /** Makes a window the one that scripts run in. */
  async switchTo(handle: string): Promise<void> {
    await this.command('POST', '/window', { handle })
  }

  /** Loads the page of the current window again. */
  async refresh(): Promise<void> {
    await this.command('POST', '/refresh', {})
  }

  /** What the current window shows, as PNG. The driver waits for the page to be painted, so something has to change there. */
  async screenshot(): Promise<Buffer> {
    await this.run(() => {
      const { style } = document.documentElement
      const timer = setInterval(() => (style.outline = style.outline ? '' : '1px solid transparent'), 20)
      Object.assign(window, { repainting: timer })
    })
    try {
      return Buffer.from(await this.command<string>('GET', '/screenshot'), 'base64')
    } finally {
      await this.run(() => clearInterval((window as unknown as { repainting: number }).repainting))
    }
  }

  /** Ends the session, and with it the app: the driver kills it. */
  async quit(): Promise<void> {
    await this.request('DELETE', this.session)
    this.session = ''
  }

  /** Ends everything, in whatever state it is. */
  async close(): Promise<void> {
    // An app that has ended by itself has no session to end.
    if (this.session) await this.quit().catch(() => {})
    const ended = this.driver.exitCode === null && this.driver.signalCode === null ? once(this.driver, 'exit') : undefined
    this.driver.kill()
    await ended
    this.processes.kill()
    await until('all processes to end', () => this.processes.running().length === 0, DRIVER)
  }

  private async isReady(): Promise<boolean> {
    if (this.driver.exitCode !== null) throw new Error(`WebKitWebDriver ended with ${this.driver.exitCode}: ${this.log}`)
    return await this.request<{ ready: boolean }>('GET', '/status').then(({ ready }) => ready, () => false)
  }

  private hasLoaded(): Promise<boolean> {
    return this.run(() => document.readyState === 'complete' && location.href !== 'about:blank')
  }

  private command<T>(method: string, path: string, body?: object): Promise<T> {
    return this.request(method, this.session + path, body)
  }

  private async request<T>(method: string, path: string, body?: object): Promise<T> {
    const url = `http://127.0.0.1:${this.port}${path}`
    const signal = AbortSignal.timeout(path.includes('/execute/') ? SCRIPT + DRIVER : DRIVER)
    const response = await fetch(url, { method, body: body && JSON.stringify(body), signal })
    const { value } = (await response.json()) as { value: T & { error?: string; message?: string } }
    if (response.ok) return value
    throw new Error(`WebDriver ${method} ${path}: ${value.error}: ${value.message}\n${this.log}`)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
