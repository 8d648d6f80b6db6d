/** What is said where the package cannot work: exactly what docs/install.md has. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../build-state.mjs'
import { hostNode } from './consumer.mjs'

const page = readFileSync(join(root, 'docs/install.md'), 'utf8')
const documented = [...page.matchAll(/```text\n([\s\S]*?)```/g)].map(([, text]) => text.trimEnd())
const [notLoaded, noCompiler, noNetwork] = documented
const { glibcVersionRuntime } = process.report.getReport().header

function call(consumer, command, { env = {}, prefix = [], node = [] } = {}) {
  const args = [...prefix, hostNode, ...node, join(consumer, 'node_modules/convlane/dist/cli/main.js'), command]
  const { status, stdout, stderr } = spawnSync(args[0], args.slice(1), { cwd: consumer, encoding: 'utf8', env: { PATH: '', ...env } })
  assert.equal(status, 1, `${command}: exit code ${status}\n${stdout}${stderr}`)
  return stdout + stderr
}

/** `text`, with what differs between machines put in the place of what the page has. */
function here(text, consumer) {
  return text
    .replaceAll('/app/node_modules/convlane', join(consumer, 'node_modules/convlane'))
    .replaceAll('22.23.3', process.versions.node)
    .replace('abi=127', `abi=${process.versions.modules}`)
    .replace('glibc 2.36', `glibc ${glibcVersionRuntime}`)
    .replace('linux, x64', `linux, ${process.arch}`)
    .replaceAll('linux-x64/', `linux-${process.arch}/`)
    .replace('arch=x64', `arch=${process.arch}`)
}

export function failures({ consumer }) {
  const folder = mkdtempSync(join(tmpdir(), 'convlane-failures-'))
  cpSync(consumer, folder, { recursive: true })
  rmSync(join(folder, 'node_modules/convlane/prebuilds'), { recursive: true })

  const message = call(folder, 'info')
  assert(message.endsWith(`\n${here(notLoaded, folder)}\n`), message)
  console.log('  without a binary: as documented')

  const haiku = join(folder, 'haiku.cjs')
  writeFileSync(haiku, "Object.defineProperty(process, 'platform', { value: 'haiku' })")
  const foreign = call(consumer, 'info', { node: ['--require', haiku] })
  assert.match(
    foreign,
    /cannot be loaded on haiku, x64, Node [\d.]+\. Tried:\n.*no such file\n.*prebuilds: there is none for haiku-x64, only for linux-x64-glibc, .*\n/,
  )
  assert.match(foreign, /\nTo compile it \(needs CMake and a C\+\+17 compiler\): npx convlane build\n/)
  console.log('  on an unknown platform: as documented')

  assert.equal(call(folder, 'build').trimEnd(), noCompiler)
  console.log('  without a compiler: as documented')

  // A path with no more than the tools that are asked for, and no network but the loopback of a new namespace.
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const name of ['cmake', 'c++', 'make']) symlinkSync('/bin/true', join(bin, name))
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: folder }
  const offline = call(folder, 'build', { env, prefix: ['/usr/bin/unshare', '--net'] })
  assert(offline.endsWith(`${noNetwork}\n`), offline)
  assert.match(offline, /^fetching cmake-js@.* into .*build-tools …\n/)
  console.log('  without a network: as documented')

  const tools = join(folder, 'node_modules/convlane/build-tools')
  rmSync(tools, { recursive: true })
  writeFileSync(tools, 'in the way')
  assert.match(call(folder, 'build', { env }), /\nconvlane: .*build-tools cannot be made: EEXIST.* \(NATIVE_BUILD\)\n$/)
  console.log('  in a folder that cannot be made: with a code')
}
