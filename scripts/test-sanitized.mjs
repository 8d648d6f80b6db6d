/**
 * Builds the native core with sanitizers and tests it so: `npm run test:asan` (address and undefined: the kernels on every instruction set of this machine, all
 * else that calls the core, the fuzzer, then a look for leaks) and `npm run test:tsan` (thread: `test:core`, and what runs beside one another).
 * Buffers lie one behind the other in few allocations: native/core/red_zones.h tells the address sanitizer which of them a step may touch.
 * The first report fails a test file. The build and what vitest reports lie in build-address/ or build-thread/.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { root } from './build-state.mjs'

/** What other commands run, and what calls no core. */
const elsewhere = /^(fuzz|outside|proof|support|types)$/
/** By name: trainings of the command that take ten minutes here, and whose steps others have. Kills at chosen moments would come too early, besides. */
const long = [
  'killed at ',
  'stopped by Ctrl-C',
  'a checkpoint is not replaced',
  'reaches 98 % on digits never seen',
  'trains the other networks',
]
/** All others, but for those of the kernels, which run on every instruction set. */
const callers = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.test.ts') && !elsewhere.test(file.split('/')[0]))
  .map((file) => `test/${file}`)
const isas = () => {
  const script = `console.log(require(${JSON.stringify(join(root, 'build/Release/convlane.node'))}).isaAvailable().join(' '))`
  return spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout.trim().split(' ')
}
/** `runs`: what gives the arguments of vitest, when all is built. Leaks are looked for by themselves: in a test's process, all that JavaScript holds at its end would be some. */
const kinds = {
  address: {
    flags: 'address,undefined',
    library: 'libasan.so',
    // Sizes that cannot be had are refused by the core, which the sanitizer must let it do.
    env: {
      ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
      CONVLANE_LARGEST_CASE: `${2 ** 18}`, // half a percent of the cases, a quarter of the time
    },
    runs: [
      () => isas().flatMap((isa) => ['--project', isa]),
      () => ['--project', 'once', '--testNamePattern', `^(?!.*(${long.join('|')}))`, ...callers],
      () => ['--config', 'vitest.fuzz.config.mts'],
    ],
    leaks: true,
  },
  thread: {
    flags: 'thread',
    library: 'libtsan.so',
    // Node and V8 are built without it: what they do looks like races.
    env: {
      TSAN_OPTIONS: 'ignore_noninstrumented_modules=1:allocator_may_return_null=1:halt_on_error=1',
      CONVLANE_LARGEST_CASE: `${2 ** 17}`, // 1 % of the cases of `test:core`, a sixth of the time; what needs no kernels is left out, too
    },
    runs: [
      () => ['--config', 'vitest.core.config.mts', '--project', 'core'],
      () => [
        '--project',
        'once',
        'test/native/run',
        'test/native/prepar',
        'test/native/sharing',
        'test/model/shared',
        'test/serve',
        'test/native/life',
        'test/model/life',
        'test/model/prepared',
        'test/train/fit.test',
      ],
    ],
  },
}

/** Before the thread sanitizer's own runtime: it does not know the addresses that newer kernels choose at random. */
const fixedAddresses = () => (name === 'thread' && spawnSync('setarch', ['-R', 'true']).status === 0 ? ['setarch', '-R'] : [])

const name = process.argv[2]
const kind = kinds[name]
if (!kind) fail(`usage: node scripts/test-sanitized.mjs ${Object.keys(kinds).join(' | ')}`)

function fail(message) {
  process.stderr.write(`test-sanitized: ${message}\n`)
  process.exit(1)
}

function run(what, args, env = {}) {
  process.stdout.write(`\n== ${what}\n`)
  const [file, ...all] = [...fixedAddresses(), process.execPath, ...args]
  const { status } = spawnSync(file, all, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) fail(`${what}: failed`)
}

/** Sanitizers must be in the process before the addon that is built with them. */
function runtimeLibrary() {
  const { stdout } = spawnSync('gcc', [`-print-file-name=${kind.library}`], { encoding: 'utf8' })
  const file = stdout?.trim() ?? ''
  if (!existsSync(file)) fail(`needs gcc with ${kind.library}. On Debian and Ubuntu: apt-get install g++`)
  return file
}

/**
 * Trains, predicts, saves, loads, is refused and ends. What Node itself never frees is its own; a leak of ours has the addon among its callers.
 * The pool of threads lives as long as the process, and stays reachable.
 */
const leaky = `
const { sequential, conv2d, batchNorm, maxPool2d, flatten, dense, adam, loadModel } = require('./dist/index.js')
async function use(file) {
  const model = sequential({ input: [8, 8, 3], seed: 1 }, conv2d(8, 3), batchNorm(), maxPool2d(2), flatten(), dense(4))
  const compiled = model.compile({ optimizer: adam(), loss: 'softmaxCrossEntropy' })
  const x = { shape: [6, 8, 8, 3], data: new Float32Array(6 * 192).fill(0.5) }
  const y = { shape: [6], data: Int32Array.of(0, 1, 2, 3, 0, 1) }
  for (let step = 0; step < 5; step++) await Promise.all([compiled.trainOnBatch(x, y), model.predict(x)])
  await compiled.trainOnBatch({ ...x, shape: [5, 8, 8, 3] }, y).then(() => process.exit(9), () => {})
  await model.save(file)
  await (await loadModel(file)).predict(x)
  if (file.endsWith('dispose')) model.dispose()
}
const folder = require('node:fs').mkdtempSync(require('node:path').join(require('node:os').tmpdir(), 'convlane-leaks-'))
;(async () => { for (let i = 0; i < 20; i++) await use(folder + (i % 2 ? '/dispose' : '/m')) })().then(() => require('node:fs').rmSync(folder, { recursive: true }))`

/** A frame of ours: named by its source where there is debug information, by the addon elsewhere. */
const isOurs = /convlane\.node|\bnative\/(addon|bind|program|core|cpu|simd|kernels|targets)\b/

function findLeaks() {
  process.stdout.write('\n== leaks\n')
  const options = { ASAN_OPTIONS: 'detect_leaks=1', LSAN_OPTIONS: 'exitcode=0' }
  const { status, stderr } = spawnSync(process.execPath, ['-e', leaky], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env, ...options },
  })
  if (stderr.includes('LeakSanitizer has encountered a fatal error'))
    return process.stdout.write('not looked for: this machine forbids it (ptrace)\n')
  const ours = stderr.split(/\n(?=(?:Direct|Indirect) leak of)/).filter((part) => /^(Direct|Indirect) leak/.test(part) && isOurs.test(part))
  if (status !== 0 || ours.length > 0) fail(`leaks (exit code ${status}):\n${ours.join('\n') || stderr}`)
  process.stdout.write('none\n')
}

const folder = join(root, `build-${name}`)
const library = runtimeLibrary()
run('library and native core', ['scripts/build.mjs', '--if-stale', 'native', 'lib'])
run(`native core with ${kind.flags}`, ['node_modules/cmake-js/bin/cmake-js', 'compile', '-O', folder, '-l', 'warn', '-p', String(availableParallelism()), `--CDSAN=${kind.flags}`]) // biome-ignore format: one command
const env = { ...kind.env, LD_PRELOAD: library, CONVLANE_BINARY: join(folder, 'Release/convlane.node') }
for (const file of readdirSync(folder)) if (file.endsWith('.json')) rmSync(join(folder, file))
for (const [i, argumentsOf] of kind.runs.entries()) {
  const args = argumentsOf()
  const report = ['--reporter=default', '--reporter=json', `--outputFile=${join(folder, `${i + 1}.json`)}`]
  run(`${name}: vitest ${args.join(' ')}`, ['node_modules/vitest/vitest.mjs', 'run', '--testTimeout', '600000', ...report, ...args], env)
}
if (kind.leaks) findLeaks()
