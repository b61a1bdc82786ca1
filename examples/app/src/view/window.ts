// Puts the pieces together: the list and the drop zone on the left, one of two pages on the right.
import { runsAs } from '../grants'
import type { App } from '../state'
import type { Entry } from '../types'
import { h, type View } from './dom'
import { dropZone } from './drop'
import { grantedPanel } from './granted'
import { header } from './header'
import { inputLine } from './input'
import { inspection } from './inspection'
import { list } from './list'
import { notices } from './notices'
import { panes } from './pane'
import { raceResult } from './race'
import { runBar } from './run-bar'

export function mount(app: App, root: Element): void {
  const side = [list(app), dropZone(app)]
  const sidecar = sidecarPage(app)
  const dropped = inspection(app)
  const main = h('main', { class: 'main' }, sidecar.element, dropped.element)
  root.append(
    h('nav', { class: 'side', 'aria-label': 'Sidecars' }, h('p', { class: 'brand' }, 'Sidecars'), ...elements(side)),
    main,
  )
  let shown = ''

  function render(): void {
    for (const view of side) view.render()
    sidecar.element.hidden = app.page !== 'sidecar'
    dropped.element.hidden = app.page !== 'inspection'
    const page = app.page === 'sidecar' ? sidecar : dropped
    page.render()
    // Another page is read from its beginning.
    const next = JSON.stringify([app.page, app.entry?.name])
    if (next !== shown) main.scrollTop = 0
    shown = next
  }
  app.onChange(render)
  render()
}

function sidecarPage(app: App): View {
  const isNative = (entry: Entry) => (app.sheet(entry).run?.backend ?? runsAs(entry)) === 'native'
  const views = [
    header(app),
    grantedPanel(() => app.entry, isNative),
    runBar(app),
    notices(app),
    raceResult(app),
    panes(app),
    inputLine(app),
  ]
  return {
    element: h('div', { class: 'page page-sidecar' }, ...elements(views)),
    render() {
      for (const view of views) view.render()
    },
  }
}

function elements(views: View[]): HTMLElement[] {
  return views.map((view) => view.element)
}
