// How a run stands or ended, in a word or two, from what the plugin tells: code, signal and reason.

/** Which program runs: the component in the sandbox, or its native fallback. */
export type Backend = 'component' | 'native'

/** What `close` carries. */
export interface End {
  code: number | null
  signal: number | null
  reason?: string | null
}

export type Phase = 'idle' | 'starting' | 'running' | 'refused' | 'ended'

/** How the status looks, besides what it says. */
export type Tone = 'neutral' | 'active' | 'good' | 'bad' | 'stopped'

export interface Status {
  text: string
  tone: Tone
}

const SIGABRT = 6
const SIGKILL = 9

export function status(phase: Phase, backend: Backend | null, end: End | null): Status {
  switch (phase) {
    case 'idle':
      return { text: 'idle', tone: 'neutral' }
    case 'starting':
      return { text: 'starting', tone: 'active' }
    case 'running':
      return { text: backend ? `running as ${backend}` : 'running', tone: 'active' }
    case 'refused':
      return { text: 'refused', tone: 'bad' }
    case 'ended':
      return ended(end ?? { code: null, signal: null }, backend)
  }
}

function ended({ code, signal, reason }: End, backend: Backend | null): Status {
  if (code !== null) return { text: `exited ${code}`, tone: code === 0 ? 'good' : 'bad' }
  if (reason?.startsWith('trapped')) return { text: 'trapped', tone: 'bad' }
  const limit = /^(?:ran )?out of (.+)$/m.exec(reason ?? '')
  if (limit) return { text: `out of ${limit[1]}`, tone: 'bad' }
  if (signal === SIGKILL) return { text: 'killed', tone: 'stopped' }
  if (signal === SIGABRT) return { text: backend === 'native' ? 'aborted' : 'trapped', tone: 'bad' }
  if (signal !== null) return { text: `ended by signal ${signal}`, tone: 'bad' }
  return { text: 'ended', tone: 'stopped' }
}

/** The reason, where it says more than the status does: the fault of a trap, with the guest's call stack. */
export function furtherReason({ code, reason }: End): string | null {
  if (!reason || code !== null || reason === 'killed') return null
  return reason
}
