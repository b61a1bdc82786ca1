// The panel that says in plain words what a sidecar may touch.
import { granted, fallbackNote, type Part } from '../grants'
import type { Entry } from '../types'
import { h, rebuild, type View } from './dom'

/** Shows the grants of whatever `entry` returns; `native` tells whether it is a native program that runs. */
export function grantedPanel(entry: () => Entry | null, native: (entry: Entry) => boolean): View {
  const body = h('div')
  const element = h('section', { class: 'panel granted', 'aria-label': 'Granted' }, body)
  return {
    element,
    render() {
      const shown = entry()
      element.hidden = shown === null
      if (!shown) return
      const note = fallbackNote(shown.fallback, native(shown))
      rebuild(body, JSON.stringify([shown.grants, shown.limits, note]), () => [
        h('h2', {}, 'Granted'),
        note?.urgent ? h('p', { class: 'warning' }, note.text) : null,
        h('dl', { class: 'grants' }, ...granted(shown).map(kindOfGrant)),
        note && !note.urgent ? h('p', { class: 'small panel-note' }, note.text) : null,
      ])
    },
  }
}

function kindOfGrant({ label, lines, nothing }: ReturnType<typeof granted>[number]): HTMLElement {
  const shown = lines.map((parts) => h('dd', nothing ? { class: 'none' } : {}, ...parts.map(part)))
  return h('div', { class: `grant grant-${label.toLowerCase()}` }, h('dt', {}, label), ...shown)
}

function part({ text, name }: Part): Node | string {
  return name ? h('code', {}, text) : text
}
