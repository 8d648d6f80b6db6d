import type { ViteUserConfig } from 'vitest/config'
import { addon, coreProject, proofProject } from './test/support/projects.mjs'

const core = ['test/ops/*.test.ts', 'test/program/*.test.ts', 'test/train/short.test.ts']

/**
 * Kernels, programs and one short training on the instruction set in use: the part that also runs under emulation. Without the property tests and the
 * largest cases, which roam too far for an emulator, and on one worker thread, which needs no second process.
 */
export default {
  test: {
    pool: 'threads',
    fileParallelism: false,
    projects: [coreProject(core), proofProject([addon().isa()], 0)],
  },
} satisfies ViteUserConfig
