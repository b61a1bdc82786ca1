import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests-js/**/*.test.ts'],
    setupFiles: ['tests-js/support/setup.ts']
  }
})
