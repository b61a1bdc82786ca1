// What a sidecar wrote to one stream, kept for the screen: text only, bounded in every direction, and cheap to show
// at tens of thousands of lines a second. Lines lie in blocks; a block is one text node, and the oldest go first.
import { count } from './format'
import { visibleLine } from './visible'

/** Lines kept: a few screens to scroll back, and few enough that laying them out takes no noticeable time. */
export const MAX_LINES = 3000
/** Characters of one line that are shown. A guest may write gigabytes without a line break. */
export const MAX_LINE = 4096
/** Characters kept in all, for output that is all long lines. */
export const MAX_CHARS = 1_000_000
/** Lines in a block: so many are dropped at once, and at most so many are laid out again when one is added. */
const BLOCK_LINES = 100
/** Characters after which a block takes no further line, for the same reason. */
const BLOCK_CHARS = 32_768

/** Consecutive lines, shown as one text node. */
export interface Block {
  readonly id: number
  /** Changes whenever the text does. */
  version: number
  text: string
  lines: number
}

export class OutputBuffer {
  readonly blocks: Block[] = []
  /** Lines that came, the unfinished one included. */
  lines = 0
  /** Lines that are no longer kept. */
  dropped = 0
  /** Called when something changed; many times a frame. */
  onChange: () => void = () => {}

  #nextId = 0
  #chars = 0
  /** Characters of the unfinished line, shown and not; -1 between lines. */
  #open = -1

  /** Takes one `data` event: a line with its line break, or a piece of one. */
  push(piece: string): void {
    let start = 0
    while (start < piece.length) {
      const newline = piece.indexOf('\n', start)
      let end = newline < 0 ? piece.length : newline
      // A carriage return ends a line where the line breaks of other systems do: before the newline, or last of all.
      const lone = newline < 0 && piece.endsWith('\r')
      if (end > start && piece[end - 1] === '\r') end -= 1
      this.#append(piece, start, end)
      if (newline < 0) {
        if (lone) this.#endLine()
        break
      }
      this.#endLine()
      start = newline + 1
    }
    this.#trim()
    this.onChange()
  }

  #append(piece: string, start: number, end: number): void {
    if (this.#open < 0) {
      this.#open = 0
      this.lines += 1
      this.#block().lines += 1
    }
    const shown = Math.max(0, Math.min(end - start, MAX_LINE - this.#open))
    if (shown > 0) this.#write(visibleLine(piece.slice(start, start + shown)))
    this.#open += end - start
  }

  #endLine(): void {
    const hidden = this.#open - MAX_LINE
    this.#write(hidden > 0 ? `${cut(hidden)}\n` : '\n')
    this.#open = -1
  }

  #write(text: string): void {
    const block = this.blocks.at(-1)!
    block.text += text
    block.version += 1
    this.#chars += text.length
  }

  /** The block that takes the next line. */
  #block(): Block {
    const last = this.blocks.at(-1)
    if (last && last.lines < BLOCK_LINES && last.text.length < BLOCK_CHARS) return last
    const block = { id: this.#nextId++, version: 0, text: '', lines: 0 }
    this.blocks.push(block)
    return block
  }

  #trim(): void {
    let surplus = 0
    let lines = this.lines - this.dropped
    while (surplus < this.blocks.length - 1 && (lines > MAX_LINES || this.#chars > MAX_CHARS)) {
      const block = this.blocks[surplus++]!
      lines -= block.lines
      this.dropped += block.lines
      this.#chars -= block.text.length
    }
    if (surplus > 0) this.blocks.splice(0, surplus)
  }

  /** What is to be shown after the last block: how much of an unfinished line there is no room for. */
  get tail(): string {
    return this.#open > MAX_LINE ? cut(this.#open - MAX_LINE) : ''
  }

  /** All that is kept, as one text. */
  get text(): string {
    return this.blocks.map((block) => block.text).join('') + this.tail
  }
}

function cut(hidden: number): string {
  return ` … (${count(hidden)} more characters)`
}
