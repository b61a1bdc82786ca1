// What has to be told about a run beside its output: refusals and failures. Bounded, since a guest can cause them.
import { visibleBlock } from './visible'

/** Different notices shown at once; the later ones are only counted. */
const MAX_NOTICES = 4
/** Characters of one notice that are shown. */
const MAX_TEXT = 4096

export interface Notice {
  title: string
  text: string
  /** How often something with this title came; the text is that of the first. */
  times: number
}

export class Notices {
  readonly list: Notice[] = []
  unshown = 0

  add(title: string, text: string): void {
    const known = this.list.find((notice) => notice.title === title)
    if (known) {
      known.times += 1
    } else if (this.list.length < MAX_NOTICES) {
      const shown = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)} …` : text
      this.list.push({ title, text: visibleBlock(shown.trimEnd()), times: 1 })
    } else {
      this.unshown += 1
    }
  }

  has(title: string): boolean {
    return this.list.some((notice) => notice.title === title)
  }
}
