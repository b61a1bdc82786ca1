// The head of the right side: what the chosen sidecar is.
import { bytes, shortDigest, wasi } from '../format'
import { isUnbuilt, runsAs } from '../grants'
import type { App } from '../state'
import type { Entry } from '../types'
import { visibleLine } from '../visible'
import { h, rebuild, type Children, type View } from './dom'
import { mark, markWords } from './mark'

const UNBUILT = 'It is not built yet. `cargo xtask demo` builds it, and then it can be started here.'

export function header(app: App): View {
  const element = h('header', { class: 'head' })
  return {
    element,
    render() {
      const { entry } = app
      element.hidden = entry === null
      if (entry) rebuild(element, JSON.stringify(entry), () => content(entry))
    },
  }
}

function content(entry: Entry): Children {
  return [
    h('div', { class: 'head-line' }, h('h1', {}, entry.title), h('span', { class: 'badge' }, entry.language)),
    h('p', { class: 'what' }, entry.what),
    isUnbuilt(entry) ? h('p', { class: 'what', 'data-testid': 'unbuilt' }, UNBUILT) : null,
    facts(entry),
  ]
}

function facts(entry: Entry): HTMLElement {
  const backend = runsAs(entry)
  const { artifact } = entry
  return h(
    'ul',
    { class: 'facts' },
    h('li', { class: 'with-mark' }, mark(backend), markWords(backend)),
    ...(artifact
      ? [
          h('li', {}, bytes(artifact.size)),
          h('li', {}, visibleLine(wasi(artifact.wasi))),
          h('li', { title: `SHA-256 ${artifact.digest}` }, 'SHA-256 ', h('code', {}, shortDigest(artifact.digest))),
        ]
      : []),
  )
}
