// What the app's own Rust commands send: the catalog of sidecars, and what is known of an artifact.

/** A directory a sidecar is granted. */
export interface GrantedDir {
  host: string
  guest: string
  access: 'read-only' | 'read-write'
}

/** What a sidecar's configuration lets it touch. */
export interface Grants {
  dirs: GrantedDir[]
  env: string[]
  network: string[]
}

/** Limits in the words of the configuration, as `256 MiB` or `30 s`; `null` is no limit. */
export interface Limits {
  memory: string
  time: string | null
  cpuTime: string | null
}

/** When the native fallback runs in the component's place; `null` if there is no fallback. */
export type Fallback = null | 'never' | 'unavailable' | 'always'

/** What a file says about itself before any of it runs. */
export interface Artifact {
  kind: string
  wasi: string | null
  /** In bytes. */
  size: number
  /** SHA-256 in hexadecimal. */
  digest: string
  imports: string[]
  needs: { what: string; detail: string }[]
  /** Whether this host runs it; if not, `reason` says why. */
  runs: boolean
  reason: string | null
}

/** One configured sidecar. */
export interface Entry {
  name: string
  title: string
  language: string
  /** What it does, in one sentence. */
  what: string
  args: string[]
  /** Suggested standard input; may be empty. */
  input: string
  /** Whether it answers while its input is open. */
  interactive: boolean
  grants: Grants
  limits: Limits
  fallback: Fallback
  artifact: Artifact | null
  error: string | null
  /** Whether its artifact is no file yet: it may be a moment later. */
  missing: boolean
}

/** Milliseconds from spawn to the first byte, measured in the host. */
export interface Measured {
  median: number
  runs: number[]
}

/** A component measured against its native fallback. */
export interface RaceResult {
  component: Measured
  native: Measured | null
}

/** The sidecar that stands for whatever file was inspected last. */
export const DROPPED = 'dropped'
