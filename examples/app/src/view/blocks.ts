// The blocks of a buffer as elements, a text node each. Only what differs is touched.
import { type Block, type OutputBuffer } from '../output-buffer'
import { h } from './dom'

interface Shown {
  id: number
  version: number
  tail: string
  node: HTMLElement
}

export class Blocks {
  #shown: Shown[] = []
  readonly #parent: HTMLElement

  constructor(parent: HTMLElement) {
    this.#parent = parent
  }

  clear(): void {
    this.#shown = []
    this.#parent.replaceChildren()
  }

  /** Brings the newest `count` blocks up to date and removes the older ones, or with `keepOlder` all that are kept. */
  showNewest({ blocks, tail }: OutputBuffer, count: number, keepOlder: boolean): void {
    const newest = Math.max(0, blocks.length - count)
    const oldest = blocks[keepOlder ? 0 : newest]?.id ?? 0
    while (this.#shown[0] && this.#shown[0].id < oldest) this.#shown.shift()!.node.remove()
    // Blocks have consecutive numbers and are dropped from the front.
    const from = this.#shown[0] ? this.#shown[0].id - blocks[0]!.id : keepOlder ? 0 : newest
    blocks.slice(from).forEach((block, index) => {
      const end = block === blocks.at(-1) ? tail : ''
      const shown = this.#shown[index]
      if (!shown) {
        this.#shown.push(made(block, end))
        this.#parent.append(this.#shown.at(-1)!.node)
      } else if (shown.version !== block.version || shown.tail !== end) {
        Object.assign(shown, { version: block.version, tail: end })
        shown.node.textContent = block.text + end
      }
    })
  }

  /** Adds the blocks that are older than those on the screen, above them and without moving them. */
  showOlder({ blocks }: OutputBuffer): void {
    const first = this.#shown[0]
    if (!first) return
    const older = blocks.filter(({ id }) => id < first.id).map((block) => made(block, ''))
    if (older.length === 0) return
    const height = this.#parent.scrollHeight
    first.node.before(...older.map(({ node }) => node))
    this.#shown.unshift(...older)
    this.#parent.scrollTop += this.#parent.scrollHeight - height
  }
}

function made({ id, version, text }: Block, tail: string): Shown {
  return { id, version, tail, node: h('div', { class: 'block' }, text + tail) }
}
