// Checks the object files of a build: nothing compiled for one instruction set may run on a machine without it.
//
//   node scripts/check-objects.mjs [build folder] [prefix of nm and objdump, e.g. aarch64-linux-gnu-]
//
// The linker merges inline functions and templates that several objects define, and may keep the copy made with AVX-512; and
// static initialisers run before the CPU has been looked at. So objects of native/targets define one symbol and no other, weak ones
// least of all, initialise nothing, and call nothing but the C memory functions; and no other object has instructions beyond the baseline.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'

const [folder = 'build', prefix = ''] = process.argv.slice(2)

const run = (tool, ...args) => execFileSync(prefix + tool, args, { encoding: 'utf8', maxBuffer: 2 ** 30 })
const lines = (text) => text.split('\n').filter((line) => line.trim() !== '')

const objects = readdirSync(path.join(folder, 'CMakeFiles'), { recursive: true })
  .map((name) => path.join(folder, 'CMakeFiles', name))
  .filter((name) => /native.*\.o(bj)?$/.test(name))

const faults = []
const targets = []
for (const object of objects) {
  const isa = /kernels_(\w+)\.dir/.exec(object)?.[1]
  if (isa) {
    targets.push(isa)
    checkSymbols(object)
    checkInitialisers(object)
  }
  checkInstructions(object, isa ?? 'baseline')
}
if (!targets.includes('scalar') || targets.length < 2) faults.push(`${folder}: no kernel objects found: build with cmake-js first`)

for (const fault of faults) console.error(fault)
console.log(
  `${objects.length} objects, kernels for ${targets.sort().join(', ') || 'nothing'}: ${faults.length ? `${faults.length} faults` : 'clean'}`,
)
process.exitCode = faults.length ? 1 : 0

function checkSymbols(object) {
  const defined = lines(run('nm', '-C', '--defined-only', object)).map((line) => line.split(/\s+/).slice(1))
  const shared = defined.filter(([kind]) => /[A-Zuvw]/.test(kind))
  for (const [kind, ...name] of shared) {
    if (/[WVuvw]/.test(kind)) faults.push(`${object}: weak symbol ${name.join(' ')}`)
  }
  if (shared.length !== 1) faults.push(`${object}: exports ${shared.length} symbols instead of its table alone`)
  for (const line of lines(run('nm', '-C', '--undefined-only', object))) {
    const name = line.trim().split(/\s+/).slice(1).join(' ')
    if (!/^(mem(cpy|set|move)|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__(asan|tsan|ubsan)_.*)$/.test(name))
      faults.push(`${object}: calls ${name}`)
  }
}

function checkInitialisers(object) {
  for (const line of lines(run('objdump', '-h', object))) {
    if (/\.init_array|\.ctors/.test(line)) faults.push(`${object}: has a static initialiser`)
  }
}

function checkInstructions(object, isa) {
  // x86 only: VEX and EVEX mnemonics begin with v; on ARM everything here is baseline.
  const beyond = { avx512: /$^/, avx2: /%zmm|%k[0-7]/ }[isa] ?? /%[yz]mm|%k[0-7]|\tv[a-z0-9]+ .*%xmm/
  const found = lines(run('objdump', '-d', '--no-show-raw-insn', object)).find((line) => beyond.test(line))
  if (found) faults.push(`${object}: instruction beyond ${isa}: ${found.trim()}`)
}
