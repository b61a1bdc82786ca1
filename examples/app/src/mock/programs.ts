// For `vite --mode mock` only: what the pretended sidecars do.
import type { End } from '../status'

/** What a pretended program can do to the window. */
export interface Process {
  args: string[]
  out(text: string): void
  err(text: string): void
  fail(text: string): void
  end(end: End): void
  ended(): boolean
}

export interface Program {
  start?(process: Process): void
  input?(process: Process, text: string): void
  eof?(process: Process): void
}

const exited = (code: number): End => ({ code, signal: null, reason: null })

const echo: Program = {
  input: (process, text) => process.out(text),
  eof: (process) => process.end(exited(0)),
}

export const PROGRAMS: Record<string, Program> = {
  'binaries/word-count': {
    start(process) {
      ;['count.txt', 'today.txt', 'über.txt'].forEach((file, index) => {
        process.out(`{"file":"${file}","words":${3 + index},"lines":1,"bytes":${14 + index}}\n`)
      })
      process.out('{"total":{"files":3,"words":12,"lines":3,"bytes":45,"skipped":0}}\n')
      process.end(exited(0))
    },
  },
  'binaries/markdown': {
    eof(process) {
      process.out('<h1>Sidecars</h1>\n<p>A <em>small</em> program beside the app.</p>\n')
      process.out('<img src=x onerror=alert(1)> \u001b[31mred\u001b[0m \u202ereversed\u0007\n')
      process.end(exited(0))
    },
  },
  'echo-python': echo,
  'echo-go': echo,
  'native/upper': { ...echo, input: (process, text) => process.out(text.toUpperCase()) },
  'fs-probe': {
    start(process) {
      const [op, path] = process.args
      process.out(`{"op":"read","path":"/notes/today.txt","ok":true,"value":"milk, bread"}\n`)
      process.out(
        `{"op":"${op}","path":"${path}","ok":false,"error":"not-permitted","detail":"Operation not permitted (os error 63)"}\n`,
      )
      process.err('fs-probe: 1 of 2 operations failed\n')
      process.end(exited(0))
    },
  },
  flood: {
    start(process) {
      let line = 0
      const timer = setInterval(() => {
        if (process.ended()) return clearInterval(timer)
        for (let index = 0; index < 500; index++) {
          process.out(`${++line} the quick brown fox jumps over the lazy dog ${'·'.repeat(line % 40)}\n`)
        }
        if (line % 5000 === 0) process.err(`wrote ${line} lines\n`)
        if (line < 1_000_000) return
        process.end(exited(0))
      }, 10)
    },
  },
  spin: { start: (process) => process.out('spinning\n') },
  trap: {
    start(process) {
      process.out('about to recurse\n')
      const reason = `trapped: call stack exhausted\n${Array.from({ length: 12 }, (_, index) => `    ${index}: trap.wasm!recurse`).join('\n')}`
      process.fail(reason)
      process.end({ code: null, signal: 6, reason })
    },
  },
  'memory-hog': {
    start(process) {
      for (let mib = 1; mib <= 14; mib++) process.out(`held ${mib} MiB\n`)
      process.err('memory allocation of 1048576 bytes failed\n')
      process.fail('ran out of memory')
      process.end({ code: null, signal: 9, reason: 'ran out of memory' })
    },
  },
  dropped: {
    start(process) {
      process.out('hello from a stranger\n')
      process.end(exited(3))
    },
  },
}
