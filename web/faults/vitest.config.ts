// The phone's own outbox against the real server, under every fault of line, phone and server: `npm run faults`. Needs the wangge program
// (WANGGE_BIN, or the debug build). FAULTS_SEEDS: how many seeds (1000); FAULTS_FIRST: the first one, to run one again.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const TEST_MS = 3_600_000

export default defineConfig({
  resolve: { alias: { '@': fileURLToPath(new URL('../src', import.meta.url)) } },
  test: {
    root: import.meta.dirname,
    environment: 'node',
    include: ['*.test.ts'],
    fileParallelism: false,
    testTimeout: TEST_MS,
    hookTimeout: TEST_MS,
    reporters: ['verbose'],
  },
})
