/**
 * PARITY 35: an application written against the shell plugin compiles against this package, from its sources and as it is built.
 */
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const USAGE = path('support/usage.ts')
const SHELL = '@tauri-apps/plugin-shell'

/** Compiles usage.ts, with another module in the place of the shell plugin, and gives the errors. */
function compile(replacement: string | undefined, change = (text: string) => text): string[] {
  const config = ts.readConfigFile(path('tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, path('.'))
  if (replacement) options.paths = { [SHELL]: [path(replacement)] }
  const host = ts.createCompilerHost({ ...options, noEmit: true })
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (name, language, ...rest) =>
    name === USAGE ? ts.createSourceFile(name, change(ts.sys.readFile(name)!), language, true) : read(name, language, ...rest)
  const program = ts.createProgram([USAGE], { ...options, noEmit: true }, host)
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

test.each([
  ['the shell plugin', undefined],
  ['our sources', '../guest-js/index.ts'],
  ['our types for modules', '../dist-js/index.d.ts'],
  ['our types for commonjs', '../dist-js/index.d.cts']
])('parity_35_usage_compiles_against_%s', (_, replacement) => {
  expect(compile(replacement)).toEqual([])
}, 60_000)

test.each([
  ['a wrong argument', (text: string) => text.replace("write('text')", 'write(5)'), 'is not assignable to parameter'],
  ['an export that is not ours', (text: string) => text.replace('  Child,', '  Child, open,') + "open('x')", "no exported member 'open'"]
])('parity_35_usage_with_%s_does_not_compile', (_, change, error) => {
  expect(compile('../guest-js/index.ts', change)).toEqual([expect.stringContaining(error)])
}, 60_000)
