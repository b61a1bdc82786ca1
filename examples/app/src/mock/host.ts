// For `vite --mode mock` only: the host's side of the protocol, pretended in the webview.
import { mockIPC } from '@tauri-apps/api/mocks'

import type { Artifact, Entry } from '../types'
import { artifact, CATALOG } from './catalog'
import { PROGRAMS, type Process } from './programs'

interface Started extends Process {
  name: string
  since: number
}

/** What the plugin's commands are given; each uses some of it. */
interface Given {
  program: string
  args: null | string | string[]
  onEvent: { id: number }
  pid: number
}

type Internals = { runCallback(id: number, data: { message: unknown; index: number }): void }

export function mockHost(): void {
  const catalog = structuredClone(CATALOG)
  const started = new Map<number, Started>()
  let nextPid = 0x8000_0001

  function spawn(program: string, args: string[], channel: { id: number }): unknown {
    if (program === 'missing') throw catalog.find(({ name }) => name === program)!.error
    const pid = nextPid++
    let index = 0
    let over = false
    const send = (event: string, payload: unknown, bytes = 0) => {
      if (over) return
      const internals = (window as unknown as { __TAURI_INTERNALS__: Internals }).__TAURI_INTERNALS__
      internals.runCallback(channel.id, { message: { bytes, events: [{ event, payload }] }, index: index++ })
    }
    const process: Started = {
      name: program,
      since: performance.now(),
      args,
      out: (text) => send('Stdout', text, text.length),
      err: (text) => send('Stderr', text, text.length),
      fail: (text) => send('Error', text),
      end(end) {
        send('Terminated', end)
        over = true
        started.delete(pid)
      },
      ended: () => over,
    }
    started.set(pid, process)
    setTimeout(() => PROGRAMS[program]?.start?.(process), 3)
    return { pid, backend: program.startsWith('native/') ? 'native' : 'component' }
  }

  function find(pid: number): Started {
    const process = started.get(pid)
    if (!process) throw 'no such child'
    return process
  }

  mockIPC((command, payload) => {
    const given = payload as unknown as Given
    switch (command) {
      case 'catalog':
        return structuredClone(catalog)
      case 'race':
        return {
          component: { median: 0.92, runs: Array(15).fill(0.92) },
          native: { median: 2.6, runs: Array(15).fill(2.6) },
        }
      case 'inspect':
        return inspect(payload as unknown as Uint8Array, catalog)
      case 'plugin:wasi-sidecar|spawn':
        return spawn(given.program, ([] as string[]).concat(given.args ?? []), given.onEvent)
      case 'plugin:wasi-sidecar|kill':
        return started.get(given.pid)?.end({ code: null, signal: 9, reason: 'killed' })
      case 'plugin:wasi-sidecar|close_stdin':
        return PROGRAMS[find(given.pid).name]?.eof?.(find(given.pid))
      case 'plugin:wasi-sidecar|stdin_write': {
        // The header with the pid does not get through Tauri's mock; one child at a time is enough here.
        const process = [...started.values()].at(-1)
        return (
          process &&
          PROGRAMS[process.name]?.input?.(process, new TextDecoder().decode(payload as unknown as Uint8Array))
        )
      }
      case 'plugin:wasi-sidecar|list':
        return [...started].map(([pid, { name, since }]) => ({
          pid,
          program: name,
          backend: 'component',
          memory: 1_310_720 + Math.round((performance.now() - since) * 40),
          cpuTime: Math.round(performance.now() - since),
        }))
      default:
        return null
    }
  })
}

function inspect(bytes: Uint8Array, catalog: Entry[]): Artifact {
  const magic = [0x00, 0x61, 0x73, 0x6d]
  if (!magic.every((byte, index) => bytes[index] === byte)) {
    throw 'it is a text file; a sidecar component is a .wasm file'
  }
  const runs = bytes.length < 5000
  const reason = runs ? null : 'a component that imports `wasi:nn/graph@0.2.0`, which this host does not offer'
  const dropped = artifact(bytes.length, { runs, reason })
  catalog.find(({ name }) => name === 'dropped')!.artifact = dropped
  return dropped
}
