/**
 * `npm run fuzz -- [--seconds N] [--seed S] [--keep] [PART …]`: random and adversarial input for every function of the addon and every reader of files
 * (test/fuzz; parts: steps, programs, functions, files). Two parts run at a time, each for half of the seconds (120). `--keep` adds the inputs that came out
 * in a new way to test/fuzz/corpus. A crash or a hang leaves its input in build-fuzz/.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './build-state.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)
const seed = Number(values.seed)
if (!(seconds > 0 && seconds <= 86_400) || !Number.isSafeInteger(seed)) {
  process.stderr.write(
    `fuzz: --seconds takes a number up to 86400 and --seed a whole number, received ${values.seconds} and ${values.seed}\n`,
  )
  process.exit(1)
}
const env = {
  ...process.env,
  CONVLANE_FUZZ_SECONDS: String(seconds / 2),
  CONVLANE_FUZZ_SEED: String(seed),
  CONVLANE_FUZZ_KEEP: values.keep ? '1' : '0',
}
const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'vitest.fuzz.config.mts', ...positionals]
const child = spawn(process.execPath, vitest, { cwd: root, stdio: 'inherit', env, detached: true })
// The parts end by themselves, later on a busy machine; what is still there then is stuck.
const limit = setTimeout(
  () => {
    process.stderr.write('fuzz: stuck; the last inputs are in build-fuzz/\n')
    process.kill(-child.pid, 'SIGKILL')
  },
  (seconds * 6 + 300) * 1000,
)
child.on('exit', (status, signal) => {
  clearTimeout(limit)
  if (signal) process.stderr.write(`fuzz: ended by ${signal}; the last inputs are in build-fuzz/\n`)
  process.exit(status ?? 1)
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.kill(-child.pid, signal))
