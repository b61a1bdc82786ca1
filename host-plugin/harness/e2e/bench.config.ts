/**
 * The benchmark in a real webview. From `host-plugin`: `xvfb-run -a npx vitest run --config harness/e2e/bench.config.ts`, with the
 * harness built by `--release`. `BENCH_QUICK=1` takes less than a minute, `BENCH_ONLY` names the rows, `BENCH_JSON` a file.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['harness/e2e/bench.ts'],
    disableConsoleIntercept: true,
    testTimeout: 3_600_000,
    hookTimeout: 60_000
  }
})
