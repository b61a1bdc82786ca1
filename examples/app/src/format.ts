// Numbers as a person reads them: sizes, times, counts and digests.

const UNITS = ['KiB', 'MiB', 'GiB']
const COUNT = new Intl.NumberFormat('en')

/** `1,234,567`. */
export function count(number: number): string {
  return COUNT.format(number)
}

/** `1 line`, `2 lines`. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`
}

/** `312 B`, `151.9 KiB`, `13 MiB`. */
export function bytes(number: number): string {
  if (number < 1024) return `${number} B`
  let value = number
  let unit = 'B'
  for (const next of UNITS) {
    // What would be rounded up to 1024 of one unit is 1.0 of the next.
    if (Math.round(value * 10) / 10 < 1024 && unit !== 'B') break
    value /= 1024
    unit = next
  }
  return `${value.toFixed(1).replace(/\.0$/, '')} ${unit}`
}

/** `0.84 ms`, `3.2 ms`, `118 ms`, `2.5 s`, `3 min 4 s`; from milliseconds. */
export function duration(milliseconds: number): string {
  if (milliseconds < 0.995) return `${milliseconds.toFixed(2)} ms`
  if (milliseconds < 9.95) return `${milliseconds.toFixed(1)} ms`
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`
  const seconds = milliseconds / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** The beginning of a digest: enough to compare by eye. */
export function shortDigest(digest: string): string {
  const hexadecimal = digest.replace(/^sha-?256:/i, '')
  return hexadecimal.length > 12 ? `${hexadecimal.slice(0, 12)}…` : hexadecimal
}

/** `command-component` in words. */
export function kind(name: string): string {
  return name.replaceAll('-', ' ')
}

/** `WASI 0.2`, whether the host sends `0.2`, `WASI 0.2` or `preview1`. */
export function wasi(version: string | null): string {
  if (version === null) return 'no WASI'
  return /^wasi/i.test(version) ? version : `WASI ${version}`
}
