// Rules the sources keep: text is never parsed as markup, nothing needs an inline style, files stay readable.
import { expect, test } from 'vitest'

import page from '../index.html?raw'

const MAX_FILE_LINES = 200

const files = import.meta.glob<string>('../src/**/*.{ts,css}', { query: '?raw', import: 'default', eager: true })

/** The files that break a rule. */
function offenders(broken: (text: string, path: string) => boolean): string[] {
  return Object.keys(files).filter((path) => broken(files[path]!, path))
}

test('there are sources, and they have a content', () => {
  expect(Object.keys(files).length).toBeGreaterThan(30)
  expect(offenders((text) => text === '')).toEqual([])
})

test('each says first what it is for, and is read in one sitting', () => {
  expect(offenders((text, path) => !text.startsWith(path.endsWith('.ts') ? '// ' : '/* '))).toEqual([])
  expect(offenders((text) => text.split('\n').length > MAX_FILE_LINES)).toEqual([])
})

test.each([
  [
    'text parsed as markup',
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser/,
  ],
  ['text run as code', /\beval\(|new Function/],
  ['inline styles, which a strict policy blocks', /cssText|['"]style['"]/],
  ['dialogs', /\b(alert|confirm|prompt)\(['"`]/],
  ['anything from elsewhere', /url\(|@font-face|https?:\/\/(?!www\.w3\.org\/2000\/svg)/],
])('there is no %s', (_, forbidden) => {
  // The mock plays a hostile sidecar, which has some of it in its output.
  expect(offenders((text, path) => !path.includes('/mock/') && forbidden.test(text))).toEqual([])
})

test('the page has no inline script or style', () => {
  expect(page).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/)
})
