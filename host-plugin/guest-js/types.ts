/**
 * What an application passes to a command and gets back from it. The names and shapes are those of
 * `@tauri-apps/plugin-shell`; what is added is optional there.
 */

/** What a child writes: text, or bytes when the command was made with the encoding `raw`. */
export type IOPayload = string | Uint8Array

/** What runs behind a {@link Child}: a sandboxed component, or the native program that stands in for it. */
export type Backend = 'component' | 'native'

/**
 * How a child is started. Keys that are not named here go to the host as they are.
 *
 * @example
 * ```typescript
 * import { Command, type SpawnOptions } from 'tauri-plugin-wasi-sidecar-api'
 * const options: SpawnOptions = { env: { LANG: 'en' }, flushPartialLines: 50 }
 * const command = Command.sidecar('binaries/word-count', ['--watch'], options)
 * ```
 */
export interface SpawnOptions {
  /**
   * The directory the child starts in. For a component it must lie in a directory that was granted, and is refused if the component
   * starts in `/` whatever it is told: grant the directory it should start in as `/` then.
   */
  cwd?: string
  /**
   * Variables to add to the child's environment. Without it a component gets the granted variables, and a native program
   * inherits. `null`, which {@link CommandOptions} allows, means an empty environment.
   */
  env?: Record<string, string>
  /**
   * How output becomes text: nothing for UTF-8, a label such as `utf-16le` for another encoding, or `raw` to get bytes. The host
   * refuses a label it does not know.
   */
  encoding?: string
  /**
   * Milliseconds after which a line that has no end yet is delivered as it is, for prompts and progress bars. Without it a line
   * is delivered once it is complete, or when the child ends.
   */
  flushPartialLines?: number
}

/**
 * {@link SpawnOptions} as {@link Command.create} and {@link Command.sidecar} take them: the environment may be emptied.
 *
 * @example
 * ```typescript
 * import { Command } from 'tauri-plugin-wasi-sidecar-api'
 * const command = Command.sidecar('binaries/word-count', [], { env: null })
 * ```
 */
export interface CommandOptions extends Omit<SpawnOptions, 'env'> {
  /** Variables to add to the child's environment, or `null` for an empty one. */
  env?: Record<string, string> | null
}

/** How a child ended. */
export interface TerminatedPayload {
  /** The exit code, or `null` if the child did not end by itself. */
  code: number | null
  /** The signal that ended the child, or `null`. A component that was killed has 9, on every system. */
  signal: number | null
  /** Why the host ended the child, for people to read: a trap, an exhausted limit. `null` if it ended by itself. */
  reason?: string | null
}

/** The events of a {@link Command} and their payloads. */
export interface CommandEvents {
  /** The child has ended. Comes once for each child, after all of its output. */
  close: TerminatedPayload
  /** Something went wrong while the child runs, such as output that is not valid in the encoding. The child goes on. */
  error: string
}

/** The events of {@link Command.stdout} and {@link Command.stderr}. */
export interface OutputEvents<O extends IOPayload> {
  /** A line with its ending, or with the encoding `raw` a piece of any size, which may be a view into a larger buffer. */
  data: O
}

/** What {@link Command.execute} resolves to: how the child ended, and all that it wrote. */
export interface ChildProcess<O extends IOPayload> {
  /** The exit code, or `null` if the child did not end by itself. */
  code: number | null
  /** The signal that ended the child, or `null`. A component that was killed has 9, on every system. */
  signal: number | null
  /** Why the host ended the child, for people to read. `null` if it ended by itself. */
  reason?: string | null
  /** All that the child wrote to its standard output. */
  stdout: O
  /** All that the child wrote to its standard error. */
  stderr: O
}

/** A running child, as {@link children} lists it. */
export interface ChildInfo {
  /** The number by which the host knows the child; `new Child(pid)` makes a handle of it. */
  pid: number
  /** The name the child was started by. */
  program: string
  /** What runs behind it. */
  backend: Backend
  /** Bytes of linear memory it holds, or `null` where this cannot be told. */
  memory: number | null
  /** Milliseconds it has spent computing, or `null` where this cannot be told. */
  cpuTime: number | null
}
