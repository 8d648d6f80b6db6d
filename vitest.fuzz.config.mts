import type { ViteUserConfig } from 'vitest/config'

/** `npm run fuzz` (scripts/fuzz.mjs): random and adversarial input for the addon and the readers of files. */
export default {
  test: { pool: 'forks', maxWorkers: 2, include: ['test/fuzz/*.fuzz.ts'] },
} satisfies ViteUserConfig
