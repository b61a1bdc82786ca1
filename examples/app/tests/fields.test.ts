// Numbers as they are shown, and arguments as they are typed.
import { describe, expect, test } from 'vitest'

import { joinArgs, splitArgs } from '../src/args'
import { bytes, count, counted, duration, kind, shortDigest, wasi } from '../src/format'

describe('numbers', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [155_532, '151.9 KiB'],
    [1024 * 1024 - 1, '1 MiB'],
    [13.9 * 1024 * 1024, '13.9 MiB'],
    [5 * 1024 ** 4, '5120 GiB'],
  ])('%d bytes: %s', (number, text) => expect(bytes(number)).toBe(text))

  test.each([
    [0, '0.00 ms'],
    [0.84, '0.84 ms'],
    [0.999, '1.0 ms'],
    [3.21, '3.2 ms'],
    [118.4, '118 ms'],
    [2_510, '2.5 s'],
    [59_700, '1 min 0 s'],
    [184_000, '3 min 4 s'],
  ])('%d ms: %s', (number, text) => expect(duration(number)).toBe(text))

  test('counts and names', () => {
    expect(count(1_234_567)).toBe('1,234,567')
    expect([counted(1, 'line'), counted(2, 'line')]).toEqual(['1 line', '2 lines'])
    expect(shortDigest(`sha256:${'ab'.repeat(32)}`)).toBe('abababababab…')
    expect(kind('command-component')).toBe('command component')
    expect([wasi('0.2'), wasi('WASI 0.3'), wasi(null)]).toEqual(['WASI 0.2', 'WASI 0.3', 'no WASI'])
  })
})

describe('arguments', () => {
  test.each([
    ['', []],
    ['  one   two ', ['one', 'two']],
    ['"a b" \'c d\'', ['a b', 'c d']],
    ['""', ['']],
    ['a"b c"d', ['ab cd']],
    ['a\\ b', ['a b']],
    ['"a\\"b" "c\\\\d" "e\\f"', ['a"b', 'c\\d', 'e\\f']],
    ["'a\\b'", ['a\\b']],
    ['$HOME *.md ; rm', ['$HOME', '*.md', ';', 'rm']],
  ])('%s', (line, args) => expect(splitArgs(line)).toEqual({ args }))

  test.each(['"open', "it's", 'end\\'])('%s cannot be split', (line) => {
    expect(splitArgs(line)).toHaveProperty('error')
  })

  test.each([[['plain', '--flag=1']], [['a b', '']], [['"', "'", '\\', 'C:\\dir']], [['tab\tnew\nline']], [[]]])(
    'there and back: %j',
    (args) => expect(splitArgs(joinArgs(args))).toEqual({ args }),
  )
})
