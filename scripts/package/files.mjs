/** What is in the tarball, and why. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { root } from '../build-state.mjs'
import { checkBinary } from '../check-binary.mjs'
import { hostNode, tool } from './consumer.mjs'

/** Every file must be of one of these, and each of these must have a file. */
const reasons = [
  ['what npm needs', /^package\.json$/],
  ['what npm shows', /^(README|LICENSE|CHANGELOG)(\.md)?$/],
  ['the library, compiled once', /^dist\/.*\.js$/],
  ['its entries for import', /^dist\/(index|ops)\.mjs$/],
  ['its types', /^dist\/.*\.d\.ts$/],
  ['the types of the entries for import', /^dist\/(index|ops)\.d\.mts$/],
  ['types that those of the library refer to', /^binding\.d\.ts$/],
  ['images that digits() reads', /^dist\/.*\.(json|bin|gz|idx)$/],
  ['the binaries', /^prebuilds\/(linux-(x64|arm64)\/convlane\.(glibc|musl)|(darwin|win32)-(x64|arm64)\/convlane)\.node$/],
  ['sources for convlane build', /^native\/.*\.(h|cpp)$/],
  ['the build of these', /^(CMakeLists\.txt|cmake\/exports\.map)$/],
]
const optional = new Set(['images that digits() reads'])

export function files({ tarball, consumer }) {
  const folder = join(consumer, 'node_modules/convlane')
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
  assert.deepEqual(
    all.filter((file) => !reasons.some(([, pattern]) => pattern.test(file))),
    [],
    'files without a reason',
  )
  for (const [why, pattern] of reasons) assert(optional.has(why) || all.some((file) => pattern.test(file)), `nothing is there for: ${why}`)
  for (const file of all.filter((name) => name.endsWith('.js')))
    assert(existsSync(join(root, 'lib', file.slice(5).replace(/\.js$/, '.ts'))), `${file} has no source`)
  for (const file of all.filter((name) => name.endsWith('.node'))) {
    const { faults, facts } = checkBinary(join(folder, file))
    assert.deepEqual(faults, [], file)
    console.log(`  ${file}: ${facts}`)
  }
  console.log(`  ${all.length} files, each with a reason`)
  for (const [name, ...args] of [
    ['publint/src/cli.js', tarball, '--strict'],
    ['@arethetypeswrong/cli/dist/index.js', tarball, '--no-emoji'],
  ])
    execFileSync(hostNode, [tool(name), ...args], { stdio: 'inherit', env: { ...process.env, NO_COLOR: '1' } })
}
