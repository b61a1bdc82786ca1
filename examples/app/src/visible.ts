// Text from strangers, made safe to look at: what steers a terminal or reorders a line is shown instead of obeyed.

/** Control characters, and the invisible ones that change the order or the look of their neighbours. */
const HIDDEN =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/u
const ALL_HIDDEN = new RegExp(HIDDEN.source, 'gu')
const HIDDEN_IN_A_BLOCK = new RegExp(`(?!\\n)(?:${HIDDEN.source})`, 'gu')

/** One line: every hidden character becomes visible, line breaks included. A tab stays a tab. */
export function visibleLine(text: string): string {
  return HIDDEN.test(text) ? text.replace(ALL_HIDDEN, escaped) : text
}

/** A block of lines, as a backtrace is: the line breaks stay. */
export function visibleBlock(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(HIDDEN_IN_A_BLOCK, escaped)
}

/** `\u{1b}`, as the runtime writes it in its messages. Unicode has pictures for some, but few fonts have them. */
function escaped(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
