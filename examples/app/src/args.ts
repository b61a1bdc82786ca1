// The arguments field: one line of text to a list of arguments and back. Quotes and backslashes group as in a shell;
// nothing else is special, because no shell is involved.

/** The arguments in a line, or why it cannot be split. */
export type Split = { args: string[] } | { error: string }

export function splitArgs(line: string): Split {
  const args: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (let index = 0; index < line.length; index++) {
    const character = line[index]!
    if (character === '\\' && quote !== "'") {
      const next = line[++index]
      if (next === undefined) return { error: 'nothing follows the last backslash' }
      // Inside double quotes a backslash is itself, unless it takes the meaning of a quote or a backslash away.
      word = (word ?? '') + (quote && next !== '"' && next !== '\\' ? `\\${next}` : next)
    } else if (quote) {
      if (character === quote) quote = null
      else word += character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (/\s/.test(character)) {
      if (word !== null) args.push(word)
      word = null
    } else {
      word = (word ?? '') + character
    }
  }
  if (quote) return { error: `a ${quote} is not closed` }
  if (word !== null) args.push(word)
  return { args }
}

/** The line that {@link splitArgs} splits into these arguments. */
export function joinArgs(args: readonly string[]): string {
  return args.map((arg) => (/^[^\s"'\\]+$/.test(arg) ? arg : `"${arg.replace(/["\\]/g, '\\$&')}"`)).join(' ')
}
