// The input line: what is typed here goes to the program's standard input.
import { bytes } from '../format'
import type { App, Sheet } from '../state'
import type { Entry } from '../types'
import { h, setAttribute, setText, type View } from './dom'

/** Rows the field grows to before it scrolls. */
const MAX_ROWS = 4

export function inputLine(app: App): View {
  const field = h('textarea', {
    id: 'stdin',
    class: 'field mono',
    'data-testid': 'stdin',
    rows: 1,
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    'aria-describedby': 'stdin-note',
  })
  const send = h('button', { type: 'button', class: 'button', 'data-testid': 'send', title: 'Enter' }, 'Send')
  const close = h('button', { type: 'button', class: 'button', 'data-testid': 'close-stdin' }, 'Close input')
  const note = h('p', { id: 'stdin-note', class: 'small', 'aria-live': 'polite' })

  const element = h(
    'section',
    { class: 'input', 'aria-label': 'Standard input' },
    h('div', { class: 'input-line' }, h('label', { class: 'label', for: 'stdin' }, 'Input'), field, send, close),
    note,
  )

  field.addEventListener('input', () => {
    if (!app.entry) return
    app.sheet(app.entry).input = field.value
    app.changed()
  })
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing) return
    event.preventDefault()
    submit()
  })
  send.addEventListener('click', () => {
    submit()
    field.focus()
  })
  close.addEventListener('click', () => void sheet()?.run?.closeInput())

  function sheet(): Sheet | null {
    return app.entry && app.sheet(app.entry)
  }

  /** Sends what is in the field as a line; an empty field is an empty line. */
  function submit(): void {
    const current = sheet()
    if (!current?.run?.inputOpen) return
    const text = current.input
    void current.run.write(text.endsWith('\n') ? text : `${text}\n`)
    current.input = ''
    app.changed()
  }

  function render(): void {
    const current = sheet()
    element.hidden = current === null
    if (!current || !app.entry) return
    const open = current.run?.inputOpen === true
    if (field.value !== current.input) field.value = current.input
    setAttribute(field, 'rows', Math.min(current.input.split('\n').length, MAX_ROWS))
    send.disabled = !open
    close.disabled = !open
    setText(note, words(current, app.entry))
  }

  return { element, render }
}

/** How much went in, and what to do next. */
function words({ run }: Sheet, { interactive, input }: Entry): string {
  if (!run || (!run.active && run.sent === 0)) return 'Enter sends, Shift+Enter starts a new line.'
  const sent = `${bytes(run.sent)} sent`
  if (run.writing > 0) return `${sent}; waiting for the program to take more.`
  if (!run.active) return `${sent}.`
  if (!run.inputOpen) return `${sent}; input closed.`
  if (interactive) return `${sent}; the program answers as it reads.`
  return input === '' ? `${sent}; input open.` : `${sent}; the program answers once the input is closed.`
}
