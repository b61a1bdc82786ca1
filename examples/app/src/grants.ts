// What a sidecar may touch, in plain words. What is not in the list does not exist for it.
import type { Backend } from './status'
import type { Entry, GrantedDir, Fallback } from './types'
import { visibleLine } from './visible'

/** A sentence's parts; a `name` is a path or a variable and is shown in a fixed-width font. */
export interface Part {
  text: string
  name?: boolean
}

/** One kind of grant: its label, and a line per thing that is granted. */
export interface Granted {
  label: string
  lines: Part[][]
  /** Whether this kind is closed. */
  nothing: boolean
}

export function granted(entry: Pick<Entry, 'grants' | 'limits'>): Granted[] {
  const { dirs, env, network } = entry.grants
  return [
    { label: 'Files', nothing: dirs.length === 0, lines: fileLines(dirs) },
    { label: 'Environment', nothing: env.length === 0, lines: [named('may see ', env, 'empty')] },
    { label: 'Network', nothing: network.length === 0, lines: [named('may reach ', network, 'none')] },
    { label: 'Limits', nothing: false, lines: limitLines(entry.limits) },
  ]
}

function fileLines(dirs: GrantedDir[]): Part[][] {
  if (dirs.length === 0) return [[{ text: 'none: no file of yours exists for it' }]]
  const lines = dirs.map(({ host, guest, access }): Part[] => [
    { text: access === 'read-only' ? 'may read ' : 'may read and change ' },
    { text: visibleLine(host), name: true },
    { text: ' as ' },
    { text: visibleLine(guest), name: true },
  ])
  return [...lines, [{ text: 'nothing else' }]]
}

function named(what: string, names: string[], none: string): Part[] {
  if (names.length === 0) return [{ text: none }]
  const parts: Part[] = [{ text: what }]
  names.forEach((name, index) => {
    if (index > 0) parts.push({ text: index === names.length - 1 ? ' and ' : ', ' })
    parts.push({ text: visibleLine(name), name: true })
  })
  return [...parts, { text: ', nothing else' }]
}

function limitLines({ memory, time, cpuTime }: Entry['limits']): Part[][] {
  const lines = [`${memory} of memory`]
  if (time !== null) lines.push(`${time} on the clock`)
  if (cpuTime !== null) lines.push(`${cpuTime} of CPU time`)
  if (time === null && cpuTime === null) lines.push('no limit of time')
  return lines.map((text) => [{ text: visibleLine(text) }])
}

/** What it would run as if it were started now. */
export function runsAs({ fallback, artifact }: Pick<Entry, 'fallback' | 'artifact'>): Backend {
  if (fallback === 'always') return 'native'
  return fallback === 'unavailable' && !artifact?.runs ? 'native' : 'component'
}

/** Whether nothing would run because it is not built yet. */
export function isUnbuilt({ missing, error }: Pick<Entry, 'missing' | 'error'>): boolean {
  return missing && error !== null
}

/** What a native fallback means for the panel: nothing in it confines a native program. */
export function fallbackNote(fallback: Fallback, runsNative: boolean): { text: string; urgent: boolean } | null {
  if (runsNative) {
    return { text: 'This runs as a native program, with all of your rights. Nothing below confines it.', urgent: true }
  }
  if (fallback === 'unavailable') {
    const text = 'If the component cannot run here, a native program takes its place, with all of your rights.'
    return { text, urgent: false }
  }
  return null
}

/** A line of parts as one text. */
export function plain(parts: Part[]): string {
  return parts.map((part) => part.text).join('')
}
