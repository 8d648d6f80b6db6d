/**
 * `npm run test:emulated` and `npm run test:arm64`: `test:core`, one bench of each kernel and the command `convlane` on emulated processors (`nehalem`,
 * `haswell`, `arm64`: those that are named, or all), each of which must take the kernels that fit it by itself. This machine runs the same cases first,
 * and keeps what the reference makes of them, which an emulator would take most of its time for. Fails when a case fails there, or when
 * others ran there than here. What it makes lies in build-emulated/ and build-arm64/.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './build-state.mjs'
import { arm64, prepareArm64 } from './emulated/arm64.mjs'

const native = { tree: root, node: process.execPath, binary: join(root, 'build/Release/convlane.node') }
/**
 * `largest`: cases whose operands have more elements are left out. Those of x64 are left to `npm test`, which tests its kernels in full: here the point is which of them are
 * chosen, and that nothing in the binary needs more than the processor has. `other`: kernels to compare the number of cases with, where those that this machine takes may be the same.
 */
const processors = {
  nehalem: { ...native, isa: 'scalar', emulator: ['qemu-x86_64-static', '-cpu', 'Nehalem'], largest: 2048 },
  haswell: { ...native, isa: 'avx2', other: 'scalar', emulator: ['qemu-x86_64-static', '-cpu', 'Haswell'], largest: 2048 },
  arm64: { ...arm64, isa: 'neon', emulator: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'], largest: 2 ** 17 },
}
/** Minutes that one process may take. */
const LIMIT = 30

function fail(message) {
  process.stderr.write(`test-emulated: ${message}\n`)
  process.exit(1)
}

const title = (what) => process.stdout.write(`\n== ${what}\n`)

function run(what, [command, ...args], { cwd = root, env = {} } = {}) {
  title(what)
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) fail(`${what}: failed`)
}

function checkTools(names) {
  const tools = Object.fromEntries(names.map((name) => [processors[name].emulator[0], 'qemu-user-static']))
  if (names.includes('arm64')) tools['aarch64-linux-gnu-g++'] = 'g++-aarch64-linux-gnu'
  const missing = Object.keys(tools).filter((command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status !== 0)
  if (missing.length > 0) {
    fail(`needs ${missing.join(', ')}. On Debian and Ubuntu: apt-get install ${missing.map((tool) => tools[tool]).join(' ')}`)
  }
}

/** Runs a command to its end and returns its standard output; shows it all, if `shown` or in vain, when it ends: two at a time do not mix. */
function outputOf(what, [command, ...args], { cwd, env = {}, shown = true }) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env }, timeout: LIMIT * 60_000 })
  const [all, output] = [[], []]
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => all.push(part))
  child.stdout.on('data', (part) => output.push(part))
  return new Promise((resolve) => {
    child.on('error', (error) => fail(`${what}: ${error.message}`))
    child.on('close', (status, signal) => {
      if (shown || status !== 0) process.stdout.write(Buffer.concat(all))
      if (status !== 0) fail(`${what}: ${signal ? `stopped by ${signal}` : `exit code ${status}`}`)
      resolve(Buffer.concat(output).toString())
    })
  })
}

/** Runs a program of JavaScript on the emulated processor. */
function emulated(name, what, args, options) {
  const { tree, node, binary, emulator } = processors[name]
  // V8 without threads of its own: they gain nothing here, and qemu 7.2 once ended by a segmentation fault before any test began.
  const env = { CONVLANE_BINARY: binary, NODE_OPTIONS: '--v8-pool-size=0', ...options?.env }
  return outputOf(`${what} on emulated ${name}`, [...emulator, node, ...args], { cwd: tree, ...options, env })
}

const json = (file) => JSON.parse(readFileSync(file, 'utf8'))
const vitest = (report, ...args) => ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.core.config.mts', '--reporter=default', '--reporter=json', `--outputFile=${report}`, ...args] // biome-ignore format: one command

/** Returns how many cases passed. */
async function testCore(name, folder) {
  const { isa, other, largest } = processors[name]
  title(`${name}: the kernels that it takes`)
  const probe = 'const b = require(process.env.CONVLANE_BINARY); console.log(JSON.stringify([b.isa(), b.kernelInfo()]))'
  const [chosen, tiles] = JSON.parse(await emulated(name, 'loading', ['-e', probe]))
  if (chosen !== isa) fail(`${name} took ${chosen} kernels, not ${isa}`)

  const [counts, expected] = ['counts', 'expected'].map((part) => join(folder, part))
  for (const made of [counts, expected]) mkdirSync(made, { recursive: true })
  const env = {
    CONVLANE_COUNTS: counts,
    CONVLANE_EXPECTED: expected,
    CONVLANE_KERNEL_INFO: JSON.stringify(tiles),
    CONVLANE_LARGEST_CASE: String(largest),
  }
  const native = join(folder, 'native.json')
  const nativeEnv = { ...env, ...(other && { CONVLANE_ISA: other }) }
  run(`${name}: its cases on this processor`, [process.execPath, ...vitest(native, '--project', 'core')], { env: nativeEnv })
  title(`${name}: test:core under emulation, ${isa} kernels`)
  const report = join(folder, 'emulated.json')
  await emulated(name, 'test:core', vitest(report, '--project', 'core'), { env })
  // Both have left their counts of cases: compared op by op, and which algorithms there were.
  const proof = vitest(join(folder, 'proof.json'), '--project', 'proof')
  run(`${name}: as many cases as on this processor`, [process.execPath, ...proof], { env: nativeEnv })
  const [here, there] = [json(native), json(report)].map(({ numPassedTests }) => numPassedTests)
  process.stdout.write(`\ntest:core: ${here} cases passed on this processor, ${there} on emulated ${name} (${isa})\n`)
  if (there === 0 || there !== here) fail(`others ran on ${name} than here`)
  return there
}

/** Each algorithm of each kernel has a row, with its result checked. Times say nothing there. */
async function bench(name) {
  const args = ['build-bench/run.js', '--suite', 'bench/small.json', '--threads', '1', '--seconds', '0', '--json']
  const rows = (output) =>
    output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  const namesOf = (list) => list.map(({ kind, item, pass, algo }) => `${kind} ${item} ${pass} ${algo}`)
  const sorted = (list) => namesOf(list).sort().join('\n')
  title(`${name}: npm run bench`)
  const there = rows(await emulated(name, 'npm run bench', args, { shown: false }))
  const native = rows(await outputOf('npm run bench', [process.execPath, ...args], { cwd: root, shown: false }))
  for (const [i, row] of namesOf(there).entries()) process.stdout.write(`${row}: ${there[i].min_ms} ms on ${there[i].isa} kernels\n`)
  if (there.length === 0 || sorted(there) !== sorted(native)) fail(`other rows on ${name} than here:\n${sorted(native)}`)
}

async function command(name, folder) {
  const { isa, tree } = processors[name]
  title(`${name}: convlane`)
  const convlane = async (...args) => {
    const output = await emulated(name, `convlane ${args[0]}`, [join(tree, 'dist/cli/main.js'), ...args, '--json'])
    return JSON.parse(output.trimEnd().split('\n').at(-1))
  }
  const info = await convlane('info')
  if (info.isa !== isa) fail(`convlane info tells ${info.isa} kernels on ${name}, not ${isa}`)
  const train = (threads) =>
    convlane('train', '--epochs', '1', '--variants', '1', '--threads', threads, '--out', join(folder, 'digits.safetensors'))
  const [one, two] = [await train('1'), await train('2')]
  if (!(one.testAccuracy > 0.5)) fail(`convlane train on ${name}: accuracy ${one.testAccuracy}`)
  if (one.weightsSha256 !== two.weightsSha256) fail(`convlane train on ${name}: other weights with two threads than with one`)
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(processors)
for (const name of names) if (!(name in processors)) fail(`no processor is named ${name}, only ${Object.keys(processors).join(', ')}`)
checkTools(names)
run('library, native core, benches', [process.execPath, 'scripts/build.mjs', '--if-stale', 'native', 'lib', 'bench'])
if (names.includes('arm64')) prepareArm64(run)
for (const name of names) {
  const folder = join(root, 'build-emulated', name)
  rmSync(folder, { recursive: true, force: true })
  const passed = await testCore(name, folder)
  await bench(name)
  await command(name, folder)
  writeFileSync(`${folder}.json`, JSON.stringify({ numPassedTests: passed, numFailedTests: 0, testResults: [] }))
}
