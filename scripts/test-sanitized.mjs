/**
 * Builds the native core with sanitizers and tests it so: `npm run test:asan` (address and undefined: all that calls the core, on every instruction set, then
 * the fuzzer) and `npm run test:tsan` (thread: `test:core`, and what runs programs beside one another). The first report fails a test file.
 * The build lies in build-address/ or build-thread/.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { root } from './build-state.mjs'

const callers = ['test/native', 'test/model', 'test/train', 'test/augment', 'test/data', 'test/graph', 'test/layers']
/** `runs`: arguments of vitest. Leaks are not looked for: all of JavaScript's memory would be one. */
const kinds = {
  address: {
    flags: 'address,undefined',
    library: 'libasan.so',
    env: { ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1', UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1' },
    runs: [
      ['--project', '!once', '--project', '!proof'],
      // Without the one that looks at resident memory, of which a sanitizer keeps much.
      ['--project', 'once', '--exclude', 'test/native/workers.test.ts', ...callers],
      ['--config', 'vitest.fuzz.config.mts'],
    ],
  },
  thread: {
    flags: 'thread',
    library: 'libtsan.so',
    env: { TSAN_OPTIONS: 'ignore_noninstrumented_modules=1:allocator_may_return_null=1:halt_on_error=1' },
    runs: [
      ['--config', 'vitest.core.config.mts', '--project', 'core'],
      [
        '--project',
        'once',
        'test/native/run',
        'test/native/prepar',
        'test/native/life',
        'test/model/life',
        'test/model/prepared',
        'test/train/fit.test',
      ],
    ],
  },
}

const name = process.argv[2]
const kind = kinds[name]
if (!kind) fail(`usage: node scripts/test-sanitized.mjs ${Object.keys(kinds).join(' | ')}`)

function fail(message) {
  process.stderr.write(`test-sanitized: ${message}\n`)
  process.exit(1)
}

function run(what, args, env = {}) {
  process.stdout.write(`\n== ${what}\n`)
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) fail(`${what}: failed`)
}

/** Sanitizers must be in the process before the addon that is built with them. */
function runtimeLibrary() {
  const { stdout } = spawnSync('gcc', [`-print-file-name=${kind.library}`], { encoding: 'utf8' })
  const file = stdout?.trim() ?? ''
  if (!existsSync(file)) fail(`needs gcc with ${kind.library}. On Debian and Ubuntu: apt-get install g++`)
  return file
}

const folder = join(root, `build-${name}`)
const library = runtimeLibrary()
run('library and native core', ['scripts/build.mjs', '--if-stale', 'native', 'lib'])
run(`native core with ${kind.flags}`, ['node_modules/cmake-js/bin/cmake-js', 'compile', '-O', folder, '-l', 'warn', '-p', String(availableParallelism()), `--CDSAN=${kind.flags}`]) // biome-ignore format: one command
const env = { ...kind.env, LD_PRELOAD: library, CONVLANE_BINARY: join(folder, 'Release/convlane.node') }
for (const args of kind.runs) {
  run(`${name}: vitest ${args.join(' ')}`, ['node_modules/vitest/vitest.mjs', 'run', '--testTimeout', '600000', ...args], env)
}
