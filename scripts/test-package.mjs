/**
 * Proves the package: packs it, installs the tarball without scripts into an empty folder, and there, with no compiler in reach, runs the named parts,
 * or all of them.
 *
 *   node scripts/test-package.mjs [--tarball FILE] [part …]
 */
import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { install, pack } from './package/consumer.mjs'
import { failures } from './package/failures.mjs'
import * as parts from './package/parts.mjs'
import { workflows } from './package/workflows.mjs'

/** These need the development tools; the other parts need nothing but Node and npm, so that they run where only a tarball is. */
const files = async (context) => (await import('./package/files.mjs')).files(context)
const photographs = async (context) => (await import('./package/photographs.mjs')).photographs(context)

const all = { files, ...parts, failures, photographs, workflows }
const args = process.argv.slice(2)
const at = args.indexOf('--tarball')
const [given] = at < 0 ? [] : args.splice(at, 2).slice(1)
const names = args.length > 0 ? args : Object.keys(all)
for (const name of names) if (!(name in all)) throw new Error(`no part is named ${name}, only ${Object.keys(all).join(', ')}`)

const tarball = given ? resolve(given) : pack()
const consumer = install(tarball)
for (const name of names) {
  const start = Date.now()
  console.log(`== ${name}`)
  await all[name]({ tarball, consumer })
  console.log(`   ${((Date.now() - start) / 1000).toFixed(1)} s`)
}
rmSync(consumer, { recursive: true, force: true })
console.log(`package: ${names.join(', ')}: proven`)
