// The bar that starts and kills, with the state of the run and what it uses.
import { bytes, duration } from '../format'
import { isUnbuilt } from '../grants'
import type { App } from '../state'
import { h, setAttribute, setText, type View } from './dom'

export function runBar(app: App): View {
  const args = h('input', {
    id: 'args',
    class: 'field mono',
    'data-testid': 'args',
    type: 'text',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    placeholder: 'none',
    'aria-describedby': 'args-error',
  })
  const argsError = h('p', { id: 'args-error', class: 'field-error', role: 'alert' })
  const start = button('Start', 'start', 'primary')
  start.title = 'Ctrl+Enter'
  setAttribute(start, 'aria-keyshortcuts', 'Control+Enter')
  const kill = button('Kill', 'kill', 'danger')
  const race = button('Race native', 'race', 'quiet')
  race.title = 'Measures the time to the first byte, of the component and of its native fallback'

  const pill = h('span', { class: 'pill', 'data-testid': 'status', role: 'status', 'aria-live': 'polite' })
  const memory = figure('Memory', 'memory')
  const cpu = figure('CPU time', 'cpu')
  const firstByte = figure('First byte', 'first-byte', 'From pressing Start to the first output arriving here')

  args.addEventListener('input', () => {
    if (!app.entry) return
    app.sheet(app.entry).args = args.value
    app.sheet(app.entry).argsError = null
    app.changed()
  })
  args.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey && !event.isComposing) void app.start()
  })
  start.addEventListener('click', () => void app.start())
  kill.addEventListener('click', () => void (app.entry && app.sheet(app.entry).run?.kill()))
  race.addEventListener('click', () => void app.race())

  const element = h(
    'section',
    { class: 'run', 'aria-label': 'Run' },
    h('div', { class: 'run-line' }, h('label', { class: 'label', for: 'args' }, 'Arguments'), args, start, kill, race),
    argsError,
    h('div', { class: 'run-state' }, pill, h('dl', { class: 'figures' }, memory.row, cpu.row, firstByte.row)),
  )

  function render(): void {
    const { entry } = app
    element.hidden = entry === null
    if (!entry) return
    const sheet = app.sheet(entry)
    const { run } = sheet
    if (args.value !== sheet.args) args.value = sheet.args
    setAttribute(args, 'aria-invalid', sheet.argsError ? 'true' : false)
    setText(argsError, sheet.argsError ?? '')
    argsError.hidden = sheet.argsError === null
    start.disabled = !app.canStart(entry)
    kill.disabled = run?.phase !== 'running' || run.killing
    race.hidden = entry.fallback === null
    race.disabled = sheet.race.state === 'running' || run?.active === true
    setText(race, sheet.race.state === 'running' ? 'Racing…' : 'Race native')

    const status = run?.status ?? { text: isUnbuilt(entry) ? 'not built yet' : 'idle', tone: 'neutral' }
    setText(pill, status.text)
    setAttribute(pill, 'class', `pill pill-${status.tone}`)
    setText(memory.value, run?.memory == null ? '–' : bytes(run.memory))
    setText(cpu.value, run?.cpuTime == null ? '–' : duration(run.cpuTime))
    setText(firstByte.value, run?.firstByte == null ? '–' : duration(run.firstByte))
  }

  return { element, render }
}

function button(text: string, id: string, kind: string): HTMLButtonElement {
  return h('button', { type: 'button', class: `button ${kind}`, 'data-testid': id }, text)
}

function figure(label: string, id: string, title = ''): { row: HTMLElement; value: HTMLElement } {
  const value = h('dd', { 'data-testid': id }, '–')
  return { row: h('div', { class: 'figure', title }, h('dt', {}, label), value), value }
}
