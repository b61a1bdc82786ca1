// Recognises in a sidecar's output that something was refused to it. The host refuses silently, as an operating system
// does: only the program knows what it tried, so this reads what the program says, and the notice says so.
import type { GrantedDir } from './types'

/** How much of a line is looked at. A guest chooses its length. */
const LOOKED_AT = 2048

/** How runtimes of various languages put a refusal, on standard error. */
const IN_WORDS =
  /permission denied|operation not permitted|read-only file system|access (?:is )?denied|capabilities insufficient|not[- ]capable|pre-?opened/i

/** How this repository's probe reports one, on standard output: one JSON object a line. */
const AS_JSON = /"ok":false,"error":"([a-z-]+)"/
const REFUSED = new Set(['permission-denied', 'not-permitted', 'not-capable', 'read-only-filesystem'])

export function isDenied(stream: 'stdout' | 'stderr', line: string, dirs: readonly GrantedDir[]): boolean {
  const start = line.length > LOOKED_AT ? line.slice(0, LOOKED_AT) : line
  if (stream === 'stderr') return IN_WORDS.test(start)
  const outcome = start.startsWith('{') ? AS_JSON.exec(start) : null
  if (!outcome) return false
  if (REFUSED.has(outcome[1]!)) return true
  // What is not granted does not exist: the refusal of a path outside is that nothing was found there.
  const path = /"path":"(\/[^"\\]*)"/.exec(start)
  return outcome[1] === 'not-found' && path !== null && !within(path[1]!, dirs)
}

function within(path: string, dirs: readonly GrantedDir[]): boolean {
  return dirs.some(({ guest }) => path === guest || path.startsWith(guest.endsWith('/') ? guest : `${guest}/`))
}
