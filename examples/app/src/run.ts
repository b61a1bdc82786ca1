// One run of a sidecar: from pressing Start until it ended, with all that the window shows about it.
import { Command, type Child } from 'tauri-plugin-wasi-sidecar-api'

import { isDenied } from './denied'
import { errorText } from './host'
import { Notices } from './notices'
import { OutputBuffer } from './output-buffer'
import { furtherReason, status, type Backend, type End, type Phase, type Status } from './status'
import type { GrantedDir } from './types'

/** Milliseconds after which an unfinished line is delivered: a prompt waits for an answer without ending its line. */
const PARTIAL_LINES_AFTER = 50

/** The encoding is named, so that bytes which are not UTF-8 are replaced instead of being an error each. */
const OPTIONS = { encoding: 'utf-8', flushPartialLines: PARTIAL_LINES_AFTER }

const FAILED = 'The sidecar failed'

export class Run {
  readonly stdout = new OutputBuffer()
  readonly stderr = new OutputBuffer()
  readonly notices = new Notices()
  phase: Phase = 'idle'
  end: End | null = null
  /** Bytes and milliseconds, as last asked for; `null` while unknown. */
  memory: number | null = null
  cpuTime: number | null = null
  /** Milliseconds from pressing Start to the first output. */
  firstByte: number | null = null
  inputOpen = false
  /** Bytes the program took from its input, and writes that wait for it. */
  sent = 0
  writing = 0
  killing = false

  #child: Child | null = null
  readonly #dirs: readonly GrantedDir[]
  readonly #changed: () => void

  constructor(dirs: readonly GrantedDir[], changed: () => void) {
    this.#dirs = dirs
    this.#changed = changed
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  get backend(): Backend | null {
    return this.#child?.backend ?? null
  }

  get active(): boolean {
    return this.phase === 'starting' || this.phase === 'running'
  }

  get status(): Status {
    return status(this.phase, this.backend, this.end)
  }

  async start(name: string, args: string[]): Promise<void> {
    const command = Command.sidecar(name, args, OPTIONS)
    const started = performance.now()
    for (const stream of ['stdout', 'stderr'] as const) {
      command[stream].on('data', (piece) => this.#output(stream, piece, started))
    }
    command.on('error', (text) => this.#tell(FAILED, text))
    command.on('close', (end) => this.#ended(end))
    this.#enter('starting')
    try {
      this.#child = await command.spawn()
      // A short run may be over before the answer is here.
      if (this.end === null) {
        this.inputOpen = true
        this.#enter('running')
      }
    } catch (error) {
      this.#tell('The start was refused', errorText(error))
      this.#enter('refused')
    }
  }

  async write(text: string): Promise<void> {
    await this.#input(async (child) => {
      await child.write(text)
      this.sent += new TextEncoder().encode(text).length
    }, 'The input was not taken')
  }

  async closeInput(): Promise<void> {
    this.inputOpen = false
    await this.#input((child) => child.closeStdin(), 'The input could not be closed')
  }

  async kill(): Promise<void> {
    this.killing = true
    this.#changed()
    try {
      await this.#child?.kill()
    } catch (error) {
      this.killing = false
      this.#tell('It could not be killed', errorText(error))
    }
  }

  async #input(action: (child: Child) => Promise<void>, failure: string): Promise<void> {
    if (!this.#child) return
    this.writing += 1
    this.#changed()
    try {
      await action(this.#child)
    } catch (error) {
      // What is still unwritten when a program ends is nobody's fault.
      if (this.active) this.#tell(failure, errorText(error))
    } finally {
      this.writing -= 1
      this.#changed()
    }
  }

  #output(stream: 'stdout' | 'stderr', piece: string, started: number): void {
    if (this.firstByte === null) {
      this.firstByte = performance.now() - started
      this.#changed()
    }
    if (isDenied(stream, piece, this.#dirs)) this.#tell('The sidecar says that access was refused', piece)
    this[stream].push(piece)
  }

  #ended(end: End): void {
    this.end = end
    this.inputOpen = false
    // A fault comes as an `error` event as well, before the end.
    const reason = furtherReason(end)
    if (reason && !this.notices.has(FAILED)) this.#tell(FAILED, reason)
    this.#enter('ended')
  }

  #tell(title: string, text: string): void {
    this.notices.add(title, text)
    this.#changed()
  }

  #enter(phase: Phase): void {
    this.phase = phase
    this.#changed()
  }
}
