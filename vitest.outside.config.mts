import type { ViteUserConfig } from 'vitest/config'

/** What convlane gives to other programs and takes from them, beside these programs: ONNX Runtime, TensorFlow.js, a browser, a load generator. */
export default {
  test: {
    pool: 'forks',
    maxWorkers: 2,
    include: ['test/outside/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    passWithNoTests: true,
  },
} satisfies ViteUserConfig
