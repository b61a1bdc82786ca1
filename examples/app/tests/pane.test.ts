// The panes: one layout a frame, text that stays text, and following unless somebody reads further up.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { MAX_LINE, MAX_LINES } from '../src/output-buffer'
import { Run } from '../src/run'
import { App } from '../src/state'
import type { Entry } from '../src/types'
import { panes } from '../src/view/pane'
import { NoResizeObserver } from './support'

const ENTRY = { name: 'a', args: [], input: '' } as unknown as Entry

let run: Run
let stdout: HTMLElement
let follow: HTMLButtonElement
let view: ReturnType<typeof panes>
let app: App

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['requestAnimationFrame', 'setTimeout', 'clearTimeout'] })
  vi.stubGlobal('ResizeObserver', NoResizeObserver)
  app = new App()
  app.entries = [ENTRY]
  app.select('a')
  run = new Run([], () => {})
  app.sheet(ENTRY).run = run
  view = panes(app)
  view.render()
  stdout = view.element.querySelector('[data-testid=stdout]')!
  follow = view.element.querySelector('.pane-stdout button')!
  // jsdom lays nothing out: a pane of 100 pixels, and 10 for each line break.
  Object.defineProperties(stdout, {
    clientHeight: { value: 100, configurable: true },
    scrollHeight: { get: () => 10 * lineBreaks() },
  })
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function frame(): void {
  vi.advanceTimersToNextFrame()
}

/** Long enough that nothing rushes by any more. */
function calm(): void {
  vi.advanceTimersByTime(500)
}

function lines(count: number): void {
  for (let line = 1; line <= count; line++) run.stdout.push(`${line}\n`)
}

function lineBreaks(): number {
  return stdout.textContent!.split('\n').length - 1
}

function scrollTo(top: number): void {
  stdout.scrollTop = top
  stdout.dispatchEvent(new Event('scroll'))
}

describe('layout', () => {
  test('happens once a frame, however many lines come', () => {
    const observed = vi.spyOn(stdout, 'append')
    lines(90)
    expect(stdout.textContent).toBe('')
    frame()
    expect(stdout.textContent).toBe(run.stdout.text)
    expect(observed).toHaveBeenCalledTimes(1)
  })

  test('is of a few blocks while lines rush by, and of all that are kept afterwards', () => {
    for (let round = 0; round < 5; round++) {
      lines(10_000)
      frame()
      expect(lineBreaks()).toBeLessThanOrEqual(300)
      expect(run.stdout.text.endsWith(stdout.textContent!)).toBe(true)
    }
    calm()
    expect(stdout.textContent).toBe(run.stdout.text)
    expect(lineBreaks()).toBeGreaterThan(MAX_LINES / 2)
    expect(lineBreaks()).toBeLessThanOrEqual(MAX_LINES)
    expect(stdout.scrollTop).toBe(stdout.scrollHeight)
  })

  test.each([[[1, 99, 100, 3]], [[250, 4000, 3, 12_345]], [[60, 60, 60, 60, 60, 60]], [[3000, 50, 50, 101, 50]]])(
    'ends with what the buffer holds: %j lines, then a piece',
    (counts) => {
      for (const count of counts) {
        lines(count)
        run.stdout.push('unfinished ')
        frame()
        expect(run.stdout.text.endsWith(stdout.textContent!)).toBe(true)
      }
      calm()
      expect(stdout.textContent).toBe(run.stdout.text)
      lines(30)
      run.stdout.push('x'.repeat(MAX_LINE + 100))
      frame()
      expect(stdout.textContent).toBe(run.stdout.text)
      expect(stdout.textContent).toContain('100 more characters)')
    },
  )

  test('a few long lines are many blocks, and all are there', () => {
    for (let line = 0; line < 20; line++) run.stdout.push(`${line}${'\u202e'.repeat(MAX_LINE)}\n`)
    frame()
    expect(stdout.textContent).toBe(run.stdout.text)
  })

  test('touches only what changed', async () => {
    lines(1000)
    frame()
    calm()
    const touched: Node[] = []
    const observer = new MutationObserver((records) => touched.push(...records.map(({ target }) => target)))
    observer.observe(stdout, { childList: true, subtree: true, characterData: true })
    run.stdout.push('one more\n')
    frame()
    await Promise.resolve()
    // The last block was full, so a new one came and the others stayed as they were.
    expect(new Set(touched)).toEqual(new Set([stdout]))
    observer.disconnect()
  })

  test('markup is text', () => {
    const hostile = '<img src=x onerror="alert(1)"><script>alert(2)</script>\n'
    run.stdout.push(hostile)
    frame()
    expect(stdout.textContent).toBe(hostile)
    expect(stdout.querySelectorAll('*:not(.block)')).toHaveLength(0)
  })

  test('what was dropped is counted', () => {
    lines(10_000)
    frame()
    const note = view.element.querySelector('.pane-note')!
    expect(note.textContent).toBe('10,000 lines, the first 7,000 no longer kept')
  })
})

describe('following', () => {
  test('stops when somebody scrolls up: what they read stays, until they ask for the rest', () => {
    lines(100)
    frame()
    expect(stdout.scrollTop).toBe(1000)
    expect(follow.hidden).toBe(true)

    scrollTo(300)
    expect(follow.hidden).toBe(false)
    expect(follow.textContent).toBe('To the end')
    const read = stdout.textContent
    lines(20_000)
    frame()
    calm()
    expect(stdout.textContent).toBe(read)
    expect(stdout.scrollTop).toBe(300)
    expect(follow.textContent).toBe('20,000 newer lines')

    follow.click()
    calm()
    expect(stdout.textContent).toBe(run.stdout.text)
    expect(stdout.scrollTop).toBe(stdout.scrollHeight)
    expect(follow.hidden).toBe(true)
    lines(10)
    frame()
    expect(stdout.textContent).toBe(run.stdout.text)
    expect(stdout.scrollTop).toBe(stdout.scrollHeight)
  })

  test('during a rush, scrolling up brings the older lines above what is read', () => {
    lines(2000)
    frame()
    const rushed = stdout.textContent!
    const height = stdout.scrollHeight
    scrollTo(1000)
    expect(stdout.textContent).toBe(run.stdout.text)
    expect(stdout.textContent!.endsWith(rushed)).toBe(true)
    expect(stdout.scrollTop).toBe(1000 + stdout.scrollHeight - height)
  })

  test('stops also when a frame comes before the event that tells of the scrolling', () => {
    lines(100)
    frame()
    const read = stdout.textContent
    stdout.scrollTop = 300
    lines(50)
    frame()
    expect(stdout.textContent).toBe(read)
    expect(stdout.scrollTop).toBe(300)
    expect(follow.textContent).toBe('50 newer lines')
  })

  test('goes on when the pane becomes smaller', () => {
    lines(100)
    frame()
    Object.defineProperty(stdout, 'clientHeight', { value: 60 })
    lines(1)
    frame()
    expect(stdout.textContent).toBe(run.stdout.text)
    expect(follow.hidden).toBe(true)
  })

  test('goes on when somebody scrolls back to the end', () => {
    lines(100)
    frame()
    scrollTo(0)
    expect(follow.hidden).toBe(false)
    lines(5)
    scrollTo(890)
    expect(follow.hidden).toBe(true)
    expect(stdout.textContent).toBe(run.stdout.text)
  })

  test('a new run begins with empty panes, and the old one no longer reaches them', () => {
    lines(5)
    frame()
    app.sheet(ENTRY).run = new Run([], () => {})
    view.render()
    expect(stdout.textContent).toBe('')
    run.stdout.push('late\n')
    frame()
    expect(stdout.textContent).toBe('')
  })
})
