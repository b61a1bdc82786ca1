/**
 * The look at a newly created app, which `cargo xtask test` has made and built; `APP` names it.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['harness/e2e/new-app.check.ts'], testTimeout: 120_000, hookTimeout: 60_000 }
})
