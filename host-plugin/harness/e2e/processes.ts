/**
 * The processes of one session, found in /proc by a variable in their environment: whatever a harness starts natively inherits it,
 * also when it has a process group of its own or has lost its parent.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { until } from './until.js'

const VARIABLE = 'WASI_SIDECAR_E2E'

/** How long a process that was killed may take to be gone. */
const PATIENCE = 5_000

export class Processes {
  /** What a process has to inherit to be found here. */
  readonly env: Record<string, string>
  private readonly mark: string

  constructor(id: string) {
    this.env = { [VARIABLE]: id }
    this.mark = `${VARIABLE}=${id}\0`
  }

  /** The pids that run now, of every program or of those with this file name. */
  running(program?: string): number[] {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    return pids.filter((pid) => this.isOurs(pid) && (!program || nameOf(pid) === program)).map(Number)
  }

  /** Waits until as many run as expected. */
  async count(program: string, expected: number): Promise<void> {
    const found = () => this.running(program)
    await until(`${expected} processes of \`${program}\``, () => found().length === expected, PATIENCE, () => `pids ${found()}`)
  }

  /** Ends what is left, at once. */
  kill(): void {
    for (const pid of this.running()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has just ended.
      }
    }
  }

  private isOurs(pid: string): boolean {
    try {
      // A zombie has ended, and its environment is empty.
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(this.mark)
    } catch {
      return false
    }
  }
}

/**
 * Bytes of memory that only this process has and has written, from the kernel's own account. Not what it has of its executable: that
 * comes and goes as the kernel likes, by tens of megabytes.
 */
export function privateMemory(pid: number): number {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(/^Private_Dirty: +(\d+) kB$/gm)
  return [...lines].reduce((sum, [, kib]) => sum + Number(kib), 0) * 1024
}

/** Milliseconds this process has computed, in the kernel's steps of ten. */
export function cpuTime(pid: number): number {
  // What follows the name, which is in brackets and may hold spaces; its first is field 3.
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function nameOf(pid: string): string | undefined {
  try {
    // An executable that has been built anew meanwhile is told as deleted.
    return basename(readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, '')
  } catch {
    return undefined
  }
}
