// Refusals and failures, shown where they cannot be missed and never in the way.
import { count } from '../format'
import { isUnbuilt } from '../grants'
import type { Notice } from '../notices'
import type { App } from '../state'
import { visibleBlock } from '../visible'
import { h, rebuild, setText, type View } from './dom'

export function notices(app: App): View {
  const element = h('div', { class: 'notices', 'data-testid': 'notice', role: 'alert' })
  return {
    element,
    render() {
      const list = told(app)
      element.hidden = list.length === 0
      // A count that rises changes the number only: the rest would be read out again each time.
      const key = JSON.stringify(list.map(({ title, text }) => [title, text]))
      rebuild(element, key, () => list.map(({ title, text }) => notice(title, text)))
      element.querySelectorAll('.times').forEach((times, index) => setText(times, timesWords(list[index]!)))
    },
  }
}

/** All that is to be told about the chosen sidecar. */
function told(app: App): Notice[] {
  if (app.failure !== null) return [once('The list of sidecars could not be read', app.failure)]
  const { entry } = app
  if (!entry) return []
  const { run, race } = app.sheet(entry)
  const all: Notice[] = []
  if (race.state === 'failed') all.push(once('The race was refused', race.text))
  if (run) all.push(...run.notices.list)
  const unshown = run?.notices.unshown ?? 0
  if (unshown > 0) all.push(once('Not all notices are shown', `${count(unshown)} more came`))
  // Whoever starts it all the same is told so again, and that is enough.
  const unusable = entry.error === null || isUnbuilt(entry) ? null : once('This sidecar is not usable', entry.error)
  if (unusable && !all.some(({ text }) => text === unusable.text)) all.unshift(unusable)
  return all
}

function once(title: string, text: string): Notice {
  return { title, text: visibleBlock(text), times: 1 }
}

function timesWords({ times }: Notice): string {
  return times === 1 ? '' : ` ${count(times)} times; at first:`
}

/** One red-bordered notice; its text may be long and scrolls by itself. */
export function notice(title: string, text: string): HTMLElement {
  return h(
    'div',
    { class: 'notice' },
    h('strong', {}, title),
    h('span', { class: 'times', 'aria-hidden': 'true' }),
    h('pre', { tabindex: 0, 'aria-label': title, role: 'group' }, text),
  )
}
