// The list of sidecars: one tab stop, arrows move through it.
import { isUnbuilt, runsAs } from '../grants'
import type { App } from '../state'
import type { Entry } from '../types'
import { h, rebuild, setAttribute, setText, testId, unseen, type View } from './dom'
import { mark, markWords } from './mark'

export function list(app: App): View {
  const element = h('ul', { class: 'list', role: 'listbox', 'aria-label': 'Sidecars' })

  element.addEventListener('keydown', (event) => {
    const selected = app.entries.findIndex((entry) => entry === app.entry)
    const last = app.entries.length - 1
    const next = {
      ArrowDown: Math.min(selected + 1, last),
      ArrowUp: Math.max(selected - 1, 0),
      Home: 0,
      End: last,
      Enter: selected,
      ' ': selected,
    }[event.key]
    if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    app.select(app.entries[next]!.name)
    items()[next]?.focus()
  })

  function items(): HTMLElement[] {
    return [...element.children] as HTMLElement[]
  }

  function render(): void {
    const key = JSON.stringify(app.entries.map((entry) => [entry.name, entry.title, entry.language, runsAs(entry), isUnbuilt(entry)]))
    rebuild(element, key, () => app.entries.map((entry) => item(app, entry)))
    items().forEach((element, index) => {
      const entry = app.entries[index]!
      const selected = entry === app.entry
      setAttribute(element, 'aria-selected', String(selected && app.page === 'sidecar'))
      setAttribute(element, 'tabindex', selected ? 0 : -1)
      const run = app.sheet(entry).run
      setAttribute(element.querySelector('.dot')!, 'class', `dot dot-${run?.status.tone ?? 'neutral'}`)
      setText(element.querySelector('.state')!, run ? `, ${run.status.text}` : '')
    })
  }

  return { element, render }
}

function item(app: App, entry: Entry): HTMLElement {
  const backend = runsAs(entry)
  const unbuilt = isUnbuilt(entry)
  const words = unbuilt ? 'not built yet' : markWords(backend)
  const element = h(
    'li',
    {
      class: unbuilt ? 'item item-unbuilt' : 'item',
      role: 'option',
      'data-testid': `sidecar-${testId(entry.name)}`,
      title: words,
    },
    mark(backend),
    h('span', { class: 'item-title' }, entry.title),
    unseen(`, ${words}, `),
    h('span', { class: 'badge' }, entry.language),
    h('span', { class: 'dot' }),
    h('span', { class: 'state unseen' }),
  )
  element.addEventListener('click', () => app.select(entry.name))
  return element
}
