// What a person reads about a sidecar: how it stands, what it holds, how it raced.
import { describe, expect, test } from 'vitest'

import { granted, plain, runsAs, fallbackNote } from '../src/grants'
import { barLengths, raceWords } from '../src/race-words'
import { furtherReason, status, type Backend, type End } from '../src/status'
import type { Artifact, Entry } from '../src/types'

describe('status', () => {
  test.each<[End, Backend, string, string]>([
    [{ code: 0, signal: null }, 'component', 'exited 0', 'good'],
    [{ code: 0, signal: null, reason: 'exited with code 0' }, 'component', 'exited 0', 'good'],
    [{ code: 42, signal: null, reason: null }, 'native', 'exited 42', 'bad'],
    [{ code: null, signal: 6, reason: 'trapped: unreachable\n  0: main' }, 'component', 'trapped', 'bad'],
    [{ code: null, signal: 6 }, 'component', 'trapped', 'bad'],
    [{ code: null, signal: 6 }, 'native', 'aborted', 'bad'],
    [{ code: null, signal: 9, reason: 'killed' }, 'component', 'killed', 'stopped'],
    [{ code: null, signal: 9 }, 'native', 'killed', 'stopped'],
    [{ code: null, signal: 9, reason: 'ran out of memory' }, 'component', 'out of memory', 'bad'],
    [{ code: null, signal: 9, reason: 'ran out of time' }, 'component', 'out of time', 'bad'],
    [{ code: null, signal: 9, reason: 'ran out of CPU time' }, 'component', 'out of CPU time', 'bad'],
    [{ code: null, signal: 15, reason: null }, 'native', 'ended by signal 15', 'bad'],
    [{ code: null, signal: null }, 'component', 'ended', 'stopped'],
  ])('%j of a %s: %s', (end, backend, text, tone) => {
    expect(status('ended', backend, end)).toEqual({ text, tone })
  })

  test('a trap whose text speaks of running out is a trap', () => {
    const end = { code: null, signal: 6, reason: 'trapped: the guest said it is out of luck' }
    expect(status('ended', 'component', end).text).toBe('trapped')
  })

  test.each([
    ['idle', null, 'idle'],
    ['starting', null, 'starting'],
    ['running', 'component', 'running as component'],
    ['running', 'native', 'running as native'],
    ['refused', null, 'refused'],
  ] as const)('%s as %s', (phase, backend, text) => {
    expect(status(phase, backend, null).text).toBe(text)
  })

  test('a reason is told only where it says more than the status', () => {
    expect(furtherReason({ code: 1, signal: null, reason: 'exited with code 1' })).toBeNull()
    expect(furtherReason({ code: null, signal: 9, reason: 'killed' })).toBeNull()
    expect(furtherReason({ code: null, signal: 9 })).toBeNull()
    expect(furtherReason({ code: null, signal: 9, reason: 'ran out of memory' })).toBe('ran out of memory')
  })
})

describe('grants in plain words', () => {
  const limits = { memory: '256 MiB', time: '30 s', cpuTime: null }

  function words(entry: Pick<Entry, 'grants' | 'limits'>): string[] {
    return granted(entry).map(({ label, lines }) => `${label}: ${lines.map(plain).join('; ')}`)
  }

  test('nothing', () => {
    expect(words({ grants: { dirs: [], env: [], network: [] }, limits: { memory: '64 MiB', time: null, cpuTime: null } })).toEqual([
      'Files: none: no file of yours exists for it',
      'Environment: empty',
      'Network: none',
      'Limits: 64 MiB of memory; no limit of time',
    ])
  })

  test('directories, names and limits', () => {
    const dirs: Entry['grants']['dirs'] = [
      { host: '~/notes', guest: '/notes', access: 'read-only' },
      { host: '/tmp/out', guest: '/out', access: 'read-write' },
    ]
    expect(words({ grants: { dirs, env: ['LANG', 'TZ', 'TERM'], network: ['api.example.com:443'] }, limits: { ...limits, cpuTime: '5 s' } })).toEqual([
      'Files: may read ~/notes as /notes; may read and change /tmp/out as /out; nothing else',
      'Environment: may see LANG, TZ and TERM, nothing else',
      'Network: may reach api.example.com:443, nothing else',
      'Limits: 256 MiB of memory; 30 s on the clock; 5 s of CPU time',
    ])
  })

  test('a path cannot disguise itself', () => {
    const dirs: Entry['grants']['dirs'] = [{ host: '/a\u202eb', guest: '/c\n', access: 'read-only' }]
    expect(words({ grants: { dirs, env: [], network: [] }, limits })[0]).toBe('Files: may read /a\\u{202e}b as /c\\n; nothing else')
  })

  test.each([
    ['always', true, 'native'],
    ['unavailable', true, 'component'],
    ['unavailable', false, 'native'],
    ['never', false, 'component'],
    [null, true, 'component'],
  ] as const)('fallback %s, runnable %s: it runs as %s', (fallback, runs, backend) => {
    expect(runsAs({ fallback, artifact: { runs } as Artifact })).toBe(backend)
  })

  test('a native program is told to be unconfined', () => {
    expect(fallbackNote('always', true)).toMatchObject({ urgent: true })
    expect(fallbackNote('unavailable', true)).toMatchObject({ urgent: true })
    expect(fallbackNote('unavailable', false)).toMatchObject({ urgent: false })
    expect(fallbackNote('never', false)).toBeNull()
    expect(fallbackNote(null, false)).toBeNull()
  })
})

describe('races', () => {
  const raced = (component: number, native: number) => ({
    component: { median: component, runs: [component] },
    native: { median: native, runs: [native] },
  })

  test.each([
    [1, 2.8, 'The component’s first byte comes 2.8 times sooner.'],
    [1, 2, 'The component’s first byte comes 2 times sooner.'],
    [1, 37.2, 'The component’s first byte comes 37 times sooner.'],
    [3, 2, 'The native fallback’s first byte comes 1.5 times sooner.'],
    [1, 1.05, 'Both are about as fast to the first byte.'],
    [0, 1, 'The component’s first byte comes much sooner.'],
  ])('%d ms against %d ms', (component, native, text) => expect(raceWords(raced(component, native))).toBe(text))

  test('without a fallback to measure', () => {
    const result = { component: { median: 0.9, runs: [] }, native: null }
    expect(raceWords(result)).toBe('First byte after 0.90 ms. There is no native fallback here to compare with.')
    expect(barLengths(result)).toEqual({ component: 1, native: 0 })
  })

  test('the slower one fills its bar', () => {
    expect(barLengths(raced(1, 4))).toEqual({ component: 0.25, native: 1 })
    expect(barLengths(raced(0, 0))).toEqual({ component: 0, native: 0 })
  })
})
