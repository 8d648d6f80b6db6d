import type { ViteUserConfig } from 'vitest/config'
import { addon, isaProject, onceProject, perIsa, proofProject } from './test/support/projects.mjs'

const isas = addon().isaAvailable()

/** Everything once, the ops on every instruction set of this machine, and a last look at whether each of them ran as many cases as the others. */
export default {
  test: {
    pool: 'forks',
    projects: [onceProject, ...isas.map((isa) => isaProject(isa, perIsa)), proofProject(isas, 500)],
  },
} satisfies ViteUserConfig
