// What the window knows, and who is told when it changes. Views read it and never keep copies.
import * as host from './host'
import { joinArgs, splitArgs } from './args'
import { isUnbuilt } from './grants'
import { Run } from './run'
import { DROPPED, type Artifact, type Entry, type RaceResult } from './types'

/** Where a comparison with the native fallback stands. */
export type Race =
  { state: 'none' } | { state: 'running' } | { state: 'done'; result: RaceResult } | { state: 'failed'; text: string }

/** What the window remembers about one sidecar. */
export interface Sheet {
  args: string
  argsError: string | null
  input: string
  run: Run | null
  race: Race
}

/** What is known of the file that was dropped last. */
export type Inspection =
  | { state: 'none' }
  | { state: 'reading'; file: string }
  | { state: 'done'; file: string; artifact: Artifact }
  | { state: 'refused'; file: string; text: string }

export class App {
  entries: Entry[] = []
  /** Why there is no catalog. */
  failure: string | null = null
  /** What the right side shows: the selected sidecar, or the file that was dropped. */
  page: 'sidecar' | 'inspection' = 'sidecar'
  inspection: Inspection = { state: 'none' }

  #selected = ''
  readonly #sheets = new Map<string, Sheet>()
  readonly #listeners: (() => void)[] = []
  #told = true
  #asked = 0

  /** Calls `listener` after every change; changes of one moment are told once. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  readonly changed = (): void => {
    if (!this.#told) return
    this.#told = false
    queueMicrotask(() => {
      this.#told = true
      for (const listener of this.#listeners) listener()
    })
  }

  get entry(): Entry | null {
    return this.entries.find((entry) => entry.name === this.#selected) ?? null
  }

  get dropped(): Entry | null {
    return this.entries.find((entry) => entry.name === DROPPED) ?? null
  }

  get runs(): Run[] {
    return [...this.#sheets.values()].flatMap(({ run }) => run ?? [])
  }

  sheet(entry: Entry): Sheet {
    let sheet = this.#sheets.get(entry.name)
    if (!sheet) {
      const args = joinArgs(entry.args)
      sheet = { args, argsError: null, input: entry.input, run: null, race: { state: 'none' } }
      this.#sheets.set(entry.name, sheet)
    }
    return sheet
  }

  async load(): Promise<void> {
    try {
      await this.#read()
      if (!this.entry) this.#selected = this.entries[0]?.name ?? ''
    } catch (error) {
      this.failure = host.errorText(error)
    }
    this.changed()
  }

  /** Reads the list again. What was read before stands if that fails. */
  async refresh(): Promise<void> {
    try {
      await this.#read()
    } catch {
      // The next round may succeed.
    }
    this.changed()
  }

  /** Of two answers that cross, the one that was asked for later counts. */
  async #read(): Promise<void> {
    const asked = ++this.#asked
    const entries = await host.catalog()
    if (asked === this.#asked) this.entries = entries
  }

  select(name: string): void {
    this.#selected = name
    this.page = 'sidecar'
    this.changed()
  }

  /** Whether Start does something: a sidecar runs once at a time, is built, and a dropped one must have been dropped. */
  canStart(entry: Entry): boolean {
    if (isUnbuilt(entry) || this.sheet(entry).run?.active) return false
    return entry.name !== DROPPED || entry.artifact !== null
  }

  async start(): Promise<void> {
    const { entry } = this
    if (this.page !== 'sidecar' || !entry || !this.canStart(entry)) return
    const sheet = this.sheet(entry)
    const split = splitArgs(sheet.args)
    sheet.argsError = 'error' in split ? split.error : null
    if ('error' in split) return this.changed()
    if (sheet.input === '') sheet.input = entry.input
    sheet.run = new Run(entry.grants.dirs, this.changed)
    await sheet.run.start(entry.name, split.args)
  }

  async race(): Promise<void> {
    const { entry } = this
    if (!entry) return
    const sheet = this.sheet(entry)
    sheet.race = { state: 'running' }
    this.changed()
    try {
      sheet.race = { state: 'done', result: await host.race(entry.name) }
    } catch (error) {
      sheet.race = { state: 'failed', text: host.errorText(error) }
    }
    this.changed()
  }

  /** Looks at a file without running it. Of two files dropped in a row, the later one counts. */
  async inspect(file: File): Promise<void> {
    const reading: Inspection = { state: 'reading', file: file.name }
    this.inspection = reading
    this.page = 'inspection'
    this.changed()
    let next: Inspection
    try {
      const artifact = await host.inspect(new Uint8Array(await file.arrayBuffer()))
      next = { state: 'done', file: file.name, artifact }
      await this.#read()
      if (!this.#sheets.get(DROPPED)?.run?.active) this.#sheets.delete(DROPPED)
    } catch (error) {
      next = { state: 'refused', file: file.name, text: host.errorText(error) }
    }
    if (this.inspection !== reading) return
    this.inspection = next
    this.changed()
  }
}
