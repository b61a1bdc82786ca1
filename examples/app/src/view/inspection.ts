// What a dropped file is and asks for, and the button that runs it with what it is granted.
import { bytes, counted, kind, wasi } from '../format'
import type { App, Inspection } from '../state'
import { DROPPED, type Artifact } from '../types'
import { visibleBlock, visibleLine } from '../visible'
import { h, rebuild, type Children, type View } from './dom'
import { grantedPanel } from './granted'
import { notice } from './notices'

export function inspection(app: App): View {
  const result = h('section', { class: 'panel inspection', 'data-testid': 'drop-result', 'aria-live': 'polite' })
  const granted = grantedPanel(
    () => (app.inspection.state === 'done' ? app.dropped : null),
    () => false,
  )
  const element = h('div', { class: 'page page-inspection' }, result, granted.element)
  return {
    element,
    render() {
      rebuild(result, JSON.stringify(app.inspection), () => content(app, app.inspection))
      granted.render()
    },
  }
}

function content(app: App, inspection: Inspection): Children {
  if (inspection.state === 'none') return []
  const title = h('h1', {}, visibleLine(inspection.file))
  switch (inspection.state) {
    case 'reading':
      return [title, h('p', { class: 'what' }, 'Looking at it…')]
    case 'refused':
      return [title, notice('This is not a sidecar', visibleBlock(inspection.text))]
    case 'done':
      return [title, ...facts(inspection.artifact), runButton(app, inspection.artifact)]
  }
}

function facts(artifact: Artifact): Children {
  const { imports, needs } = artifact
  return [
    h('p', { class: 'what' }, 'Nothing of it has run yet.'),
    h(
      'dl',
      { class: 'table' },
      ...row('Kind', `${kind(artifact.kind)}, ${wasi(artifact.wasi)}`),
      ...row('Size', bytes(artifact.size)),
      ...row('SHA-256', h('code', {}, artifact.digest)),
      ...row('Runs here', artifact.runs ? 'yes' : 'no'),
    ),
    artifact.runs ? null : notice('It does not run here', visibleBlock(artifact.reason ?? 'no reason was given')),
    h('h2', {}, 'What it could ask for'),
    needs.length === 0
      ? h('p', {}, 'Nothing beyond its arguments, its three streams, the clock and random numbers.')
      : h('dl', { class: 'table' }, ...needs.flatMap(({ what, detail }) => row(what, detail))),
    h(
      'details',
      { class: 'imports' },
      h('summary', {}, counted(imports.length, 'import')),
      h('ul', { class: 'mono' }, ...imports.map((name) => h('li', {}, visibleLine(name)))),
    ),
  ]
}

function row(label: string, value: string | HTMLElement): HTMLElement[] {
  return [h('dt', {}, visibleLine(label)), h('dd', {}, typeof value === 'string' ? visibleLine(value) : value)]
}

function runButton(app: App, artifact: Artifact): HTMLElement {
  const button = h(
    'button',
    { type: 'button', class: 'button primary', 'data-testid': 'run-dropped', disabled: !artifact.runs },
    'Run it with the grants below',
  )
  button.addEventListener('click', () => {
    app.select(DROPPED)
    // Once the page is there, the next step is one key away.
    queueMicrotask(() => document.querySelector<HTMLElement>('[data-testid=start]')?.focus())
  })
  return button
}
