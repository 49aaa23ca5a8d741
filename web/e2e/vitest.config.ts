// The browser journeys: `npm run e2e`. Needs web/dist and the wangge program (WANGGE_BIN, or the debug build).
import { defineConfig } from 'vitest/config'

const TEST_MS = 120_000

export default defineConfig({
  test: {
    root: import.meta.dirname,
    environment: 'node',
    include: ['journeys/*.test.ts'],
    globalSetup: ['kit/setup.ts'],
    // The journeys share two servers and one browser on a machine with two cores: one file after the other.
    fileParallelism: false,
    testTimeout: TEST_MS,
    hookTimeout: TEST_MS,
    reporters: ['verbose'],
  },
})
