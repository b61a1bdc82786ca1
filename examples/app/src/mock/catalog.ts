// For `vite --mode mock` only: sidecars to look at the window without the app behind it.
import type { Artifact, Entry } from '../types'

const KIB = 1024

export function artifact(size: number, more: Partial<Artifact> = {}): Artifact {
  return {
    kind: 'command-component',
    wasi: '0.2',
    size,
    digest: '4be287b97f0cd8d318584731e7e5515b2eb51b4f913311deb3676569ef2fee2d',
    imports: [
      'wasi:io/poll@0.2.6',
      'wasi:io/streams@0.2.6',
      'wasi:cli/environment@0.2.6',
      'wasi:filesystem/types@0.2.6',
      'wasi:filesystem/preopens@0.2.6',
      'wasi:sockets/tcp@0.2.6',
    ],
    needs: [
      { what: 'filesystem', detail: 'nothing opens unless a directory is granted' },
      { what: 'environment', detail: 'empty unless names are granted' },
      { what: 'network', detail: 'nothing answers unless hosts are granted' },
    ],
    runs: true,
    reason: null,
    ...more,
  }
}

function entry(name: string, title: string, language: string, what: string, more: Partial<Entry> = {}): Entry {
  return {
    name,
    title,
    language,
    what,
    args: [],
    input: '',
    interactive: false,
    grants: { dirs: [], env: [], network: [] },
    limits: { memory: '256 MiB', time: '30 s', cpuTime: null },
    fallback: null,
    artifact: artifact(155_532),
    error: null,
    missing: false,
    ...more,
  }
}

const NOTES = {
  host: '~/.local/share/dev.wasi-sidecar.playground/notes',
  guest: '/notes',
  access: 'read-only',
} as const

export const CATALOG: Entry[] = [
  entry('binaries/word-count', 'Word count', 'Rust', 'Counts the words of every text file in a folder.', {
    args: ['/notes'],
    grants: { dirs: [NOTES], env: ['LANG'], network: [] },
    fallback: 'unavailable',
  }),
  entry('binaries/markdown', 'Markdown', 'Rust', 'Turns Markdown into HTML.', {
    input: '# Sidecars\n\nA *small* program beside the app.\n\n- one\n- two\n',
    artifact: artifact(396 * KIB),
    fallback: 'unavailable',
  }),
  entry('echo-python', 'Echo', 'Python', 'Says everything back, a line at a time.', {
    input: 'hello from the window',
    interactive: true,
    artifact: artifact(18_400 * KIB),
    limits: { memory: '256 MiB', time: null, cpuTime: null },
  }),
  entry('echo-go', 'Echo', 'Go', 'Says everything back, a line at a time.', {
    interactive: true,
    artifact: artifact(2_600 * KIB, { kind: 'command-module', wasi: 'preview1' }),
  }),
  entry('fs-probe', 'File probe', 'C', 'Tries to open what you name, and says how it went.', {
    args: ['write', '/notes/today.txt', 'gone'],
    grants: { dirs: [NOTES, { host: '/tmp/report', guest: '/report', access: 'read-write' }], env: [], network: ['api.example.com:443'] },
    artifact: artifact(74 * KIB),
  }),
  entry('flood', 'Flood', 'Rust', 'Writes lines as fast as they are taken.', {
    args: ['--lines', '50000'],
    limits: { memory: '64 MiB', time: '60 s', cpuTime: '20 s' },
  }),
  entry('spin', 'Endless loop', 'Rust', 'Computes for ever without calling the host: kill it, or wait for its limit.', {
    limits: { memory: '64 MiB', time: null, cpuTime: '5 s' },
  }),
  entry('trap', 'Trap', 'Rust', 'Faults in the middle of its work.', { args: ['--recursion'] }),
  entry('memory-hog', 'Memory hog', 'Rust', 'Takes memory until there is none left.', {
    limits: { memory: '16 MiB', time: '30 s', cpuTime: null },
  }),
  entry('native/upper', 'Upper case', 'Rust', 'The same API, with a native program behind it.', {
    interactive: true,
    fallback: 'always',
  }),
  entry('missing', 'Missing', 'JavaScript', 'Its component was not built.', {
    artifact: null,
    error: '`sidecars/missing.wasm` does not exist; build it with `cargo xtask guests`',
  }),
  entry('dropped', 'Dropped file', 'any', 'Whatever file you dropped last.', { artifact: null }),
]
