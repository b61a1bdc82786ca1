/**
 * What `npm publish` would upload, and whether it loads. Needs `npm run build` first.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import * as api from '../guest-js/index.js'

const root = new URL('../', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))

test('the_package_holds_what_it_should', () => {
  const printed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: fileURLToPath(root), encoding: 'utf8' })
  const [{ files }] = JSON.parse(printed)
  const paths = files.map(({ path }: { path: string }) => path)
  // The README is the crate's, and goes along wherever there is one.
  expect(paths.filter((path: string) => path !== 'README.md').sort()).toEqual([
    'LICENSE-APACHE',
    'LICENSE-MIT',
    'dist-js/index.cjs',
    'dist-js/index.d.cts',
    'dist-js/index.d.ts',
    'dist-js/index.js',
    'package.json'
  ])
})

test('every_entry_of_the_manifest_exists', () => {
  const { import: esm, require: cjs } = manifest.exports['.']
  const entries = [manifest.main, manifest.module, manifest.types, ...Object.values(esm), ...Object.values(cjs)]
  expect(entries.filter((entry) => !existsSync(new URL(entry, root)))).toEqual([])
})

test('it_loads_as_a_module_and_as_commonjs', async () => {
  const esm = await import(/* @vite-ignore */ new URL(manifest.module, root).href)
  const cjs = createRequire(import.meta.url)(manifest.name)
  for (const loaded of [esm, cjs]) expect(Object.keys(loaded).sort()).toEqual(Object.keys(api).sort())
})

test('the_lock_file_names_no_registry', () => {
  const lock = readFileSync(new URL('package-lock.json', root), 'utf8')
  expect(JSON.parse(lock).packages[''].version).toBe(manifest.version)
  expect(lock).not.toContain('"resolved"')
})
