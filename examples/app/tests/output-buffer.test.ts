// The output buffer: lines, bounds, and what a hostile stream does to it.
import { describe, expect, test, vi } from 'vitest'

import { MAX_CHARS, MAX_LINE, MAX_LINES, OutputBuffer } from '../src/output-buffer'

function filled(...pieces: string[]): OutputBuffer {
  const buffer = new OutputBuffer()
  for (const piece of pieces) buffer.push(piece)
  return buffer
}

describe('lines', () => {
  test.each([
    ['a line with its break', ['one\n'], 'one\n', 1],
    ['breaks of other systems', ['one\r\n', 'two\r', 'three\n'], 'one\ntwo\nthree\n', 3],
    ['pieces of one line', ['user', 'name: ', 'x\n'], 'username: x\n', 1],
    ['several lines in one event', ['one\ntwo\nthr', 'ee\n'], 'one\ntwo\nthree\n', 3],
    ['an unfinished line', ['one\n', '$ '], 'one\n$ ', 2],
    ['empty lines', ['\n', '\n'], '\n\n', 2],
    ['nothing', [''], '', 0],
    ['a carriage return in the middle', ['50%\r100%\n'], '50%\\r100%\n', 1],
    ['control characters', ['\u001b[2Jx\n'], '\\u{1b}[2Jx\n', 1],
  ])('%s', (_, pieces, text, lines) => {
    const buffer = filled(...pieces)
    expect(buffer.text).toBe(text)
    expect(buffer.lines).toBe(lines)
    expect(buffer.dropped).toBe(0)
  })
})

describe('bounds', () => {
  test('the newest lines are kept, and what was dropped is counted', () => {
    const buffer = new OutputBuffer()
    for (let line = 1; line <= 50_000; line++) buffer.push(`${line}\n`)
    const kept = buffer.text.split('\n').slice(0, -1)
    expect(buffer.lines).toBe(50_000)
    expect(kept.length).toBeLessThanOrEqual(MAX_LINES)
    expect(kept.length).toBeGreaterThan(MAX_LINES / 2)
    expect(buffer.dropped + kept.length).toBe(50_000)
    expect(kept.at(-1)).toBe('50000')
    expect(kept[0]).toBe(String(buffer.dropped + 1))
    expect(buffer.blocks.reduce((sum, block) => sum + block.lines, 0)).toBe(kept.length)
  })

  test('nothing is dropped while there is room', () => {
    const buffer = filled(...Array.from({ length: MAX_LINES }, () => 'x\n'))
    expect(buffer.dropped).toBe(0)
  })

  test('a line is cut, and says by how much', () => {
    const buffer = filled(`${'a'.repeat(MAX_LINE + 1500)}\n`, 'next\n')
    expect(buffer.text).toBe(`${'a'.repeat(MAX_LINE)} … (1,500 more characters)\nnext\n`)
  })

  test('a line without an end stays as long as it is, and counts on', () => {
    const buffer = filled('b'.repeat(16 * 1024 * 1024))
    expect(buffer.tail).toBe(' … (16,773,120 more characters)')
    buffer.push('b'.repeat(80))
    expect(buffer.tail).toBe(' … (16,773,200 more characters)')
    expect(buffer.text.length).toBe(MAX_LINE + buffer.tail.length)
    buffer.push('\n')
    expect(buffer.tail).toBe('')
    expect(buffer.text.endsWith('(16,773,200 more characters)\n')).toBe(true)
  })

  test('long lines are bounded together, also when every character becomes eight', () => {
    const buffer = new OutputBuffer()
    for (let line = 0; line < 400; line++) buffer.push(`${'\u202e'.repeat(MAX_LINE)}\n`)
    expect(buffer.lines).toBe(400)
    expect(buffer.dropped).toBeGreaterThan(0)
    // The block that is being filled comes on top of the bound.
    expect(buffer.text.length).toBeLessThan(MAX_CHARS + 2 * 8 * MAX_LINE)
  })
})

describe('what the screen needs', () => {
  test('a block that did not change keeps its version, so that only the last is laid out again', () => {
    const buffer = filled(...Array.from({ length: 250 }, (_, line) => `${line}\n`))
    const before = buffer.blocks.map(({ id, version }) => ({ id, version }))
    buffer.push('more\n')
    const after = buffer.blocks.map(({ id, version }) => ({ id, version }))
    expect(after.slice(0, -1)).toEqual(before.slice(0, -1))
    expect(after.at(-1)!.id).toBe(before.at(-1)!.id)
    expect(after.at(-1)!.version).toBeGreaterThan(before.at(-1)!.version)
  })

  test('ids never come again, so that a dropped block cannot be mistaken for a new one', () => {
    const buffer = new OutputBuffer()
    const seen = new Set<number>()
    for (let line = 0; line < 20_000; line++) {
      buffer.push('x\n')
      seen.add(buffer.blocks.at(-1)!.id)
    }
    expect(seen.size).toBe(200)
  })

  test('every push is told', () => {
    const buffer = new OutputBuffer()
    const told = vi.fn()
    buffer.onChange = told
    buffer.push('a')
    buffer.push('b\n')
    expect(told).toHaveBeenCalledTimes(2)
  })
})
