/**
 * The tests in a real webview. From `host-plugin`: `xvfb-run -a npx vitest run --config harness/e2e/vitest.config.ts`.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['harness/e2e/**/*.test.ts'],
    // One harness at a time: they share two cores with their webviews, and some tests measure.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000
  }
})
