/**
 * Puts stripped native cores where a package carries them, prebuilds/<platform>-<arch>/convlane[.<libc>].node, and checks them.
 *
 *   node scripts/prebuild.mjs [--all | target …]
 *
 * Without arguments: for this machine (npm runs this before `npm run build` by itself, because of its name). With `--all`, as before packing: all that
 * can be built here, which on Linux x64 with Debian's cross compiler is arm64 too, and nothing else is left in the folder.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from './build-state.mjs'
import { checkBinary } from './check-binary.mjs'

const node = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] })
const isGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined
const libc = process.platform === 'linux' ? (isGlibc ? '-glibc' : '-musl') : ''
const here = `${process.platform}-${process.arch}${libc}`

function buildHere() {
  node(join(root, 'scripts/build.mjs'), '--if-stale', 'native')
  return join(root, 'build/Release/convlane.node')
}

/** With Debian's cross compiler, into the folder that test:arm64 uses, so that each file is compiled once. */
function crossBuildArm64() {
  const out = join(root, 'build-arm64/build')
  const toolchain = `--CDCMAKE_TOOLCHAIN_FILE=${join(root, 'cmake/aarch64.cmake')}`
  const options = ['--arch', 'arm64', toolchain, '-O', out, '-l', 'warn', '-p', String(availableParallelism())]
  node(join(root, 'node_modules/cmake-js/bin/cmake-js'), 'compile', ...options)
  return join(out, 'Release/convlane.node')
}

const builds = {
  [here]: {
    build: buildHere,
    strip: process.platform === 'darwin' ? ['strip', '-x'] : process.platform === 'win32' ? null : ['strip', '-s'],
  },
}
if (here === 'linux-x64-glibc') builds['linux-arm64-glibc'] = { build: crossBuildArm64, strip: ['aarch64-linux-gnu-strip', '-s'] }

function all() {
  rmSync(join(root, 'prebuilds'), { recursive: true, force: true })
  const canCross = spawnSync('aarch64-linux-gnu-g++', ['--version'], { stdio: 'ignore' }).status === 0
  if (canCross || builds['linux-arm64-glibc'] === undefined) return Object.keys(builds)
  process.stderr.write('prebuild: without linux-arm64, which needs a cross compiler (apt-get install g++-aarch64-linux-gnu)\n')
  return [here]
}

const named = process.argv.slice(2)
const targets = named.includes('--all') ? all() : named.length > 0 ? named : [here]
for (const target of targets) {
  if (!builds[target]) throw new Error(`cannot build ${target} here, only ${Object.keys(builds).join(', ')}`)
  const { build, strip } = builds[target]
  const [platform, arch, tag] = target.split('-')
  const file = join(root, 'prebuilds', `${platform}-${arch}`, `convlane${tag ? `.${tag}` : ''}.node`)
  const built = build()
  mkdirSync(dirname(file), { recursive: true })
  copyFileSync(built, file)
  if (strip) execFileSync(strip[0], [...strip.slice(1), file])
  const { faults, facts } = checkBinary(file)
  process.stderr.write(`${target}: ${facts}\n`)
  if (faults.length > 0) throw new Error(`${file}:\n${faults.join('\n')}`)
}
