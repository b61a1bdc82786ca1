// The outcome of a race: two bars and a sentence.
import { counted, duration } from '../format'
import { barLengths, raceWords } from '../race-words'
import type { App } from '../state'
import type { Backend } from '../status'
import type { Measured, RaceResult } from '../types'
import { h, rebuild, type Children, type View } from './dom'
import { mark } from './mark'

export function raceResult(app: App): View {
  const body = h('div', { 'data-testid': 'race-result', role: 'status' })
  const element = h('section', { class: 'panel race', 'aria-label': 'Race with the native fallback' }, body)
  return {
    element,
    render() {
      const race = app.entry ? app.sheet(app.entry).race : null
      element.hidden = race?.state !== 'done'
      const result = race?.state === 'done' ? race.result : null
      rebuild(body, JSON.stringify(result), () => (result ? outcome(result) : []))
    },
  }
}

function outcome(result: RaceResult): Children {
  const lengths = barLengths(result)
  return [
    h('p', { class: 'race-words' }, raceWords(result)),
    h(
      'dl',
      { class: 'bars' },
      bar('component', result.component, lengths.component),
      result.native && bar('native', result.native, lengths.native),
    ),
    h(
      'p',
      { class: 'small' },
      `Median of ${counted(result.component.runs.length, 'start')} each, from spawn to first byte.`,
    ),
  ]
}

function bar(backend: Backend, { median }: Measured, length: number): HTMLElement {
  const fill = h('span', { class: `bar-fill bar-${backend}` })
  // Set by script, which a strict `style-src` allows; an attribute in markup it would not.
  fill.style.width = `${Math.max(length * 100, 0.5)}%`
  return h(
    'div',
    { class: 'bar' },
    h('dt', { class: 'with-mark' }, mark(backend), backend),
    h(
      'dd',
      {},
      h('span', { class: 'bar-track', 'aria-hidden': 'true' }, fill),
      h('span', { class: 'bar-value' }, duration(median)),
    ),
  )
}
