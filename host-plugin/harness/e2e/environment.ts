/**
 * What the tests need of the machine: looked for before anything starts, and told with what provides it. Nothing is skipped.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where everything is that was built. */
const TARGET = process.env.TARGET ?? fileURLToPath(new URL('../../../target', import.meta.url))

/** The path of the harness: what `HARNESS` names, else what was built in this profile. */
export function harness(profile: 'debug' | 'release'): string {
  return process.env.HARNESS ? resolve(process.env.HARNESS) : join(TARGET, profile, 'webview-harness')
}

/** The path of the example app, or of the app that `APP` names. */
export function app(): string {
  return process.env.APP ? resolve(process.env.APP) : join(TARGET, 'debug', 'sidecar-playground')
}

/** An artifact of the example app, which lies beside it: its path. */
export function artifact(name: string): string {
  return join(dirname(app()), 'sidecars', `${name}.wasm`)
}

/** The bytes of an artifact of the example app. */
export function bundled(name: string): Buffer {
  return readFileSync(artifact(name))
}

/** Where pictures of what was shown go. */
export function pictures(): string {
  const folder = process.env.PICTURES ?? join(TARGET, 'demo')
  mkdirSync(folder, { recursive: true })
  return folder
}

/**
 * Guests that have to be built before something is driven. The harness knows all there are and is built with them; the example app
 * is driven with what it brings along, since it is opened where no other guest has been built.
 */
export const GUESTS = {
  app: [],
  harness: ['component/echo.wasm', 'native/echo']
} as const

export interface Needs {
  /** The path of WebKitWebDriver. */
  readonly driver: string
  readonly env: NodeJS.ProcessEnv
}

/** Finds everything that driving this executable takes, or throws with all that is missing. */
export function need(executable: string, guests: readonly string[]): Needs {
  const missing: string[] = []
  const driver = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'WebKitWebDriver')).find(existsSync)
  if (!driver) missing.push('`WebKitWebDriver` is not in PATH: install the package `webkit2gtk-driver`')
  if (!process.env.DISPLAY) missing.push('`DISPLAY` is not set: run this by `xvfb-run -a`, of the package `xvfb`')
  if (!existsSync(executable)) missing.push(`\`${executable}\` is not there: build it, as \`cargo xtask\` does`)
  for (const guest of guests) {
    if (!existsSync(join(TARGET, 'guests', guest))) missing.push(`the guest \`${guest}\` is not built: run \`cargo xtask guests\``)
  }
  if (!driver || missing.length > 0) throw new Error(missing.join('\n'))
  return { driver, env: { ...process.env, ...folders(), ...SETTINGS } }
}

const SETTINGS = {
  TAURI_WEBVIEW_AUTOMATION: 'true',
  // Neither a graphics card nor a desktop is there.
  WEBKIT_DISABLE_COMPOSITING_MODE: '1',
  WEBKIT_DISABLE_DMABUF_RENDERER: '1',
  NO_AT_BRIDGE: '1',
  GSETTINGS_BACKEND: 'memory'
}

/** Folders of our own, so that those of the user stay as they are; kept, since compiled components are in there. */
function folders(): Record<string, string> {
  const variables = { XDG_CACHE_HOME: 'cache', XDG_CONFIG_HOME: 'config', XDG_DATA_HOME: 'data' }
  const entries = Object.entries(variables).map(([name, folder]) => [name, join(TARGET, 'e2e', folder)] as const)
  for (const [, path] of entries) mkdirSync(path, { recursive: true })
  return Object.fromEntries(entries)
}
