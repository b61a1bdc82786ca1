// The app's own Rust commands. Everything else goes through the plugin's package.
import { invoke } from '@tauri-apps/api/core'

import type { Artifact, Entry, RaceResult } from './types'

export function catalog(): Promise<Entry[]> {
  return invoke('catalog')
}

/** Measures a component and its native fallback in turn. */
export function race(name: string): Promise<RaceResult> {
  return invoke('race', { name })
}

/** Looks at a file without running it; afterwards it is the sidecar named `dropped`. */
export function inspect(bytes: Uint8Array): Promise<Artifact> {
  return invoke('inspect', bytes)
}

/** A rejection in words: commands reject with a string, and a failure of the bridge with an `Error`. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
