// One stream on the screen: laid out once a frame, following the newest line unless somebody scrolled up to read.
import { count, counted } from '../format'
import { OutputBuffer } from '../output-buffer'
import type { App } from '../state'
import { Blocks } from './blocks'
import { h, setText, type View } from './dom'

/** Pixels from the end within which somebody still counts as being there. */
const AT_END = 24
/** New lines in one frame from which on output rushes by, too fast to be read. */
const RUSH_LINES = 100
/** Blocks laid out while it does: more than a screen. Laying out takes time by the line; all 3000 take 0.1 s. */
const RUSH_BLOCKS = 2
/** Milliseconds without a rush after which the rest of what is kept is laid out as well. */
const CALM = 150
const EMPTY = new OutputBuffer()

/** Both streams, apart. */
export function panes(app: App): View {
  const stdout = new Pane('Output', 'stdout')
  const stderr = new Pane('Errors', 'stderr')
  const element = h('div', { class: 'panes' }, stdout.element, stderr.element)
  return {
    element,
    render() {
      element.hidden = app.entry === null
      const run = app.entry && app.sheet(app.entry).run
      stdout.show(run?.stdout)
      stderr.show(run?.stderr)
    },
  }
}

class Pane {
  readonly element: HTMLElement
  readonly #scroller: HTMLElement
  readonly #blocks: Blocks
  readonly #note = h('span', { class: 'pane-note' })
  readonly #follow = h('button', { type: 'button', class: 'button small-button', hidden: true })
  #buffer = EMPTY
  /** Lines there were when the blocks were last laid out. */
  #drawn = 0
  #following = true
  /** Where the end was when it was last scrolled to. */
  #end = 0
  #frame: number | undefined
  /** Runs during a rush, and until a while after. */
  #rush: number | undefined

  constructor(label: string, name: 'stdout' | 'stderr') {
    const heading = `pane-${name}`
    this.#scroller = h('div', {
      class: 'pane-text mono',
      'data-testid': name,
      tabindex: 0,
      role: 'region',
      'aria-labelledby': heading,
    })
    this.#blocks = new Blocks(this.#scroller)
    this.element = h(
      'section',
      { class: `pane pane-${name}` },
      h('div', { class: 'pane-head' }, h('h2', { id: heading }, label), this.#note, this.#follow),
      this.#scroller,
    )
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true })
    this.#follow.addEventListener('click', () => {
      this.#followNewest()
      this.#scroller.focus()
    })
    // A pane that becomes smaller must not lose the end.
    new ResizeObserver(() => this.#following && this.#toEnd()).observe(this.#scroller)
    this.#draw()
  }

  /** Shows this buffer from now on. */
  show(buffer: OutputBuffer = EMPTY): void {
    if (buffer === this.#buffer) return
    this.#buffer.onChange = () => {}
    this.#buffer = buffer
    buffer.onChange = () => this.#request()
    this.#blocks.clear()
    this.#drawn = 0
    this.#followNewest()
  }

  /** However many lines arrive, they are laid out once a frame; a hidden window has no frames, and no cost. */
  #request(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined
      this.#draw()
    })
  }

  #draw(): void {
    const { lines, dropped } = this.#buffer
    const kept = dropped > 0 ? `, the first ${count(dropped)} no longer kept` : ''
    setText(this.#note, lines > 0 ? counted(lines, 'line') + kept : '')
    this.element.classList.toggle('pane-empty', lines === 0)
    // Under load a frame can come before the event that tells of the scrolling.
    if (this.#leftEnd()) this.#stopFollowing()
    // What somebody reads stays as it is; what came since is laid out when they come back to the end.
    if (this.#following) this.#layOut()
    this.#follow.hidden = this.#following
    setText(this.#follow, lines > this.#drawn ? counted(lines - this.#drawn, 'newer line') : 'To the end')
  }

  #layOut(): void {
    const { lines } = this.#buffer
    if (lines - this.#drawn > RUSH_LINES) {
      clearTimeout(this.#rush)
      this.#rush = window.setTimeout(() => this.#calm(), CALM)
    }
    this.#blocks.showNewest(this.#buffer, RUSH_BLOCKS, this.#rush === undefined)
    this.#drawn = lines
    this.#toEnd()
  }

  #calm(): void {
    clearTimeout(this.#rush)
    this.#rush = undefined
    this.#blocks.showOlder(this.#buffer)
    if (this.#following) this.#toEnd()
  }

  #scrolled(): void {
    if (this.#leftEnd()) this.#stopFollowing()
    else if (!this.#following && this.#atEnd()) this.#following = true
    else return
    this.#draw()
  }

  /** Somebody scrolled up. Growing output or a smaller pane also part from the end, but never upwards. */
  #leftEnd(): boolean {
    return this.#following && this.#scroller.scrollTop < this.#end - 1 && !this.#atEnd()
  }

  #atEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller
    return scrollHeight - scrollTop - clientHeight < AT_END
  }

  #stopFollowing(): void {
    this.#following = false
    this.#calm()
  }

  #followNewest(): void {
    this.#following = true
    this.#toEnd()
    this.#draw()
  }

  #toEnd(): void {
    this.#scroller.scrollTop = this.#scroller.scrollHeight
    this.#end = this.#scroller.scrollTop
  }
}
