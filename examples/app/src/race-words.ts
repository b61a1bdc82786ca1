// The outcome of a race in one sentence, and as lengths of bars.
import { duration } from './format'
import type { RaceResult } from './types'

/** Two medians closer than this are the same: repeated runs differ by more. */
const SAME = 1.1

export function raceWords({ component, native }: RaceResult): string {
  if (!native) return `First byte after ${duration(component.median)}. There is no native fallback here to compare with.`
  const ratio = native.median / component.median
  if (ratio < SAME && ratio > 1 / SAME) return 'Both are about as fast to the first byte.'
  return ratio > 1
    ? `The component’s first byte comes ${times(ratio)} sooner.`
    : `The native fallback’s first byte comes ${times(1 / ratio)} sooner.`
}

function times(ratio: number): string {
  if (!Number.isFinite(ratio)) return 'much'
  return `${ratio < 9.95 ? ratio.toFixed(1).replace(/\.0$/, '') : Math.round(ratio)} times`
}

/** Lengths from 0 to 1; the slower one fills its track. */
export function barLengths({ component, native }: RaceResult): { component: number; native: number } {
  const longest = Math.max(component.median, native?.median ?? 0)
  if (longest <= 0) return { component: 0, native: 0 }
  return { component: component.median / longest, native: (native?.median ?? 0) / longest }
}
