/**
 * Builds what is named on the command line: `native` (build/Release/convlane.node), `lib` (dist/), `bench` (build-bench/).
 * With `--if-stale` a target is left alone when its sources and its outputs are what they were at its last build.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { isFresh, recordBuild, root, withLock } from './build-state.mjs'
import { pruneOutputs, writeModuleWrappers } from './esm-wrappers.mjs'

class BuildError extends Error {}

const hasCommand = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0

/** Runs a tool; what it says goes to standard error, since standard output belongs to the command that the build is for. */
function run(what, file, args) {
  const { status, signal } = spawnSync(process.execPath, [join(root, 'node_modules', file), ...args], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) throw new BuildError(`${what} failed (${signal ?? `exit code ${status}`}); its messages are above`)
}

/** What a native build needs from the system, with the Debian and Ubuntu packages that have it. */
function checkTools() {
  const compilers = process.env.CXX ? [process.env.CXX.split(' ')[0]] : ['c++', 'g++', 'clang++']
  const needs = [
    { what: 'a C++17 compiler (g++ 10 or clang 12 at least)', commands: compilers, debian: 'g++' },
    { what: 'cmake', commands: ['cmake'], debian: 'cmake' },
    { what: 'make or ninja', commands: ['ninja', 'make'], debian: 'make' },
  ]
  const missing = process.platform === 'win32' ? [] : needs.filter(({ commands }) => !commands.some(hasCommand))
  if (missing.length > 0) {
    throw new BuildError(
      `The native core has to be compiled, and this machine lacks ${new Intl.ListFormat('en').format(missing.map(({ what }) => what))}.\n` +
        `On Debian and Ubuntu: apt-get install ${missing.map(({ debian }) => debian).join(' ')}`,
    )
  }
}

/** A build folder that was configured elsewhere, or for a tool that is gone, cannot be reused. */
function dropForeignCache() {
  const cache = join(root, 'build', 'CMakeCache.txt')
  if (!existsSync(cache)) return
  const text = readFileSync(cache, 'utf8')
  const value = (name) => text.match(new RegExp(`^${name}:[A-Z]+=(.*)$`, 'm'))?.[1]
  const isNinja = value('CMAKE_GENERATOR') === 'Ninja'
  if (value('CMAKE_HOME_DIRECTORY') !== root || isNinja !== hasCommand('ninja')) rmSync(join(root, 'build'), { recursive: true })
}

/** Puts the dashboard's page, made from its parts and uPlot, in place of the module that makes it. */
function writePage() {
  const file = join(root, 'dist/dashboard/page.js')
  const { html, policy } = createRequire(import.meta.url)(file).page()
  const made = JSON.stringify({ html, policy })
  writeFileSync(
    file,
    `"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\nexports.page = () => made;\nconst made = ${made};\n`,
  )
}

const targets = {
  native: {
    title: 'native core',
    sources: ['native', 'CMakeLists.txt', 'node_modules/node-addon-api/package.json', 'node_modules/node-api-headers/package.json'],
    outputs: ['build/Release/convlane.node'],
    stamp: 'build/.stamp',
    build() {
      checkTools()
      dropForeignCache()
      run('The native build', 'cmake-js/bin/cmake-js', ['compile', '-l', 'warn', '-p', String(availableParallelism())])
    },
  },
  lib: {
    title: 'library',
    sources: [
      'lib',
      'binding.d.ts',
      'tsconfig.json',
      'tsconfig.build.json',
      'scripts/esm-wrappers.mjs',
      'node_modules/typescript/package.json',
      'node_modules/uplot/package.json',
    ],
    outputs: ['dist/index.js', 'dist/index.mjs', 'dist/ops.mjs', 'dist/cli/main.js'],
    stamp: 'dist/.stamp',
    build() {
      pruneOutputs('lib', 'dist')
      try {
        run('The type check of lib', 'typescript/bin/tsc', ['-p', 'tsconfig.build.json'])
      } finally {
        // The compiler writes its output in spite of type errors, so that work on one part does not stop another.
        writeModuleWrappers(['index', 'ops'])
        writePage()
      }
      chmodSync(join(root, 'dist/cli/main.js'), 0o755)
    },
  },
  bench: {
    title: 'benchmarks',
    sources: ['bench', 'lib', 'binding.d.ts', 'tsconfig.json', 'bench/tsconfig.json'],
    outputs: ['build-bench/run.js'],
    stamp: 'build-bench/.stamp',
    build() {
      run('The type check of bench', 'typescript/bin/tsc', ['-p', 'bench/tsconfig.json'])
    },
  },
}

function main(args) {
  const ifStale = args.includes('--if-stale')
  const names = args.filter((name) => name !== '--if-stale')
  const unknown = names.filter((name) => !(name in targets))
  if (names.length === 0 || unknown.length > 0) {
    throw new BuildError(`usage: node scripts/build.mjs [--if-stale] ${Object.keys(targets).join(' | ')} …`)
  }
  if (!existsSync(join(root, 'node_modules', 'typescript'))) throw new BuildError('The tools of the build are not installed. Run: npm ci')
  withLock(() => {
    for (const name of names) {
      const target = targets[name]
      if (ifStale && isFresh(target)) continue
      const start = Date.now()
      process.stderr.write(`building the ${target.title} …\n`)
      target.build()
      recordBuild(target)
      process.stderr.write(`built the ${target.title} in ${((Date.now() - start) / 1000).toFixed(1)} s\n`)
    }
  })
}

try {
  main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof BuildError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
