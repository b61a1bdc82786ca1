// Text from strangers: hidden characters, refusals they report, notices they cause.
import { describe, expect, test } from 'vitest'

import { isDenied } from '../src/denied'
import { Notices } from '../src/notices'
import { visibleBlock, visibleLine } from '../src/visible'

describe('hidden characters', () => {
  test.each([
    ['plain text, äöü, 漢字 and 🦀', 'plain text, äöü, 漢字 and 🦀'],
    ['\ttab', '\ttab'],
    ['\u001b[31mred\u0007', '\\u{1b}[31mred\\u{7}'],
    ['\u0000\u007f\u009b', '\\u{0}\\u{7f}\\u{9b}'],
    ['a\nb\rc', 'a\\nb\\rc'],
    ['evil\u202egnp.exe', 'evil\\u{202e}gnp.exe'],
    ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
    ['line\u2028separator', 'line\\u{2028}separator'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
  ])('%j', (text, shown) => {
    expect(visibleLine(text)).toBe(shown)
  })

  test('a block keeps its line breaks, and nothing else', () => {
    expect(visibleBlock('a\r\nb\n\u001bc\rd')).toBe('a\nb\n\\u{1b}c\\rd')
  })
})

describe('a refusal in what a sidecar says', () => {
  const dirs = [{ host: '~/notes', guest: '/notes', access: 'read-only' as const }]
  const outcome = (path: string, error: string) =>
    `{"op":"open","path":"${path}","ok":false,"error":"${error}","detail":""}\n`

  test.each([
    ['stdout', outcome('/notes/a', 'not-permitted'), true],
    ['stdout', outcome('/etc/passwd', 'not-found'), true],
    ['stdout', outcome('/notesbook', 'not-found'), true],
    ['stdout', outcome('/notes/gone', 'not-found'), false],
    ['stdout', outcome('/notes/a', 'already-exists'), false],
    ['stdout', '{"op":"open","path":"/etc","ok":true,"value":null}\n', false],
    ['stdout', 'an essay on “Permission denied”\n', false],
    ['stderr', 'cat: /etc/shadow: Permission denied\n', true],
    ['stderr', 'today.txt: Operation not permitted (os error 63)\n', true],
    ['stderr', 'failed to find a pre-opened file descriptor\n', true],
    ['stderr', 'word-count: 3 files\n', false],
    ['stderr', `${'x'.repeat(5000)} permission denied\n`, false],
  ] as const)('%s %s', (stream, line, denied) => expect(isDenied(stream, line, dirs)).toBe(denied))

  test('a directory that is granted as the root holds everything', () => {
    const root = [{ host: '~/notes', guest: '/', access: 'read-only' as const }]
    expect(isDenied('stdout', outcome('/etc/passwd', 'not-found'), root)).toBe(false)
  })
})

describe('notices', () => {
  test('the same title is counted, different ones are bounded', () => {
    const notices = new Notices()
    for (let index = 0; index < 1000; index++) notices.add('Refused', `text ${index}`)
    for (let index = 0; index < 10; index++) notices.add(`Other ${index}`, '')
    expect(notices.list[0]).toEqual({ title: 'Refused', text: 'text 0', times: 1000 })
    expect(notices.list).toHaveLength(4)
    expect(notices.unshown).toBe(7)
    expect(notices.has('Other 2')).toBe(true)
    expect(notices.has('Other 3')).toBe(false)
  })

  test('a long or hostile text is bounded and visible', () => {
    const notices = new Notices()
    notices.add('a', `\u001b${'x'.repeat(10_000)}`)
    expect(notices.list[0]!.text).toMatch(/^\\u\{1b\}x+ …$/)
    expect(notices.list[0]!.text.length).toBeLessThan(4200)
  })
})
