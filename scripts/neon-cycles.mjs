/**
 * Static cycle analysis of the NEON inner loops: for each kernel the loop with the most fused multiply-adds (of several, the shortest: edges have as many), by llvm-mca's model of Neoverse N1.
 *
 *   node scripts/neon-cycles.mjs [object file]
 *
 * Needs llvm-mca 19 (those up to 16 take Cortex-A57's tables for N1, with half the multiply-adds) and aarch64-linux-gnu-objdump (apt-get install llvm-19 g++-aarch64-linux-gnu), and the object of `npm run prebuild -- linux-arm64-glibc`.
 * N1 starts two 128-bit multiply-adds in a cycle: 0.5 cycles each is the limit. The model knows no caches.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './build-state.mjs'

const object = process.argv[2] ?? join(root, 'build-arm64/build/CMakeFiles/kernels_neon.dir/native/targets/neon.cpp.o')
const text = execFileSync('aarch64-linux-gnu-objdump', ['-d', '-C', '--no-show-raw-insn', object], { encoding: 'utf8', maxBuffer: 2 ** 30 })
const limit = 0.5
const iterations = 100

/** The functions, each a list of { at, code }. */
const functions = text.split(/\n(?=[0-9a-f]{16} <)/).flatMap((block) => {
  const name = /^[0-9a-f]{16} <(.*)>:/.exec(block)?.[1]
  const lines = [...block.matchAll(/^\s*([0-9a-f]+):\t(.*)$/gm)].map(([, at, code]) => ({ at: Number.parseInt(at, 16), code }))
  return name ? [{ name, lines }] : []
})

const isFma = ({ code }) => /^(fmla|fmls|fmadd|fmsub)\t/.test(code)

/** Compilers unroll the lines of 16 channels of narrow tiles: many multiply-adds, few sums. */
function isUnrolled(fmas) {
  const times = new Map()
  for (const { code } of fmas) {
    const sum = /\t(\w+)/.exec(code)[1]
    times.set(sum, (times.get(sum) ?? 0) + 1)
  }
  return Math.max(...times.values()) >= 16
}

/** Innermost loops: from the target of a branch backwards to the branch, without another such branch within. */
function loopsOf({ lines }) {
  const index = new Map(lines.map(({ at }, i) => [at, i]))
  const loops = lines.flatMap(({ at, code }, end) => {
    const target = /^(?:b\.\w+\t|cbn?z\t\w+, |tbn?z\t\w+, #\d+, )([0-9a-f]+) </.exec(code)
    const start = target ? index.get(Number.parseInt(target[1], 16)) : undefined
    return start !== undefined && Number.parseInt(target[1], 16) < at ? [{ start, end }] : []
  })
  return loops
    .filter((loop) => !loops.some((other) => other !== loop && other.start >= loop.start && other.end <= loop.end))
    .map(({ start, end }) => lines.slice(start, end + 1))
}

/** The cycles of one pass through the loop, where it repeats for ever. */
function cyclesOf(loop) {
  // Addresses become labels, which the analysis does not follow.
  const source = loop.map(({ code }) => code.replace(/\s*(\/\/|;).*$/, '').replace(/\b[0-9a-f]+ <.*>$/, 'label')).join('\n')
  const options = ['-mtriple=aarch64', '-mcpu=neoverse-n1', `-iterations=${iterations}`, '-instruction-info=0', '-resource-pressure=0']
  const output = execFileSync('llvm-mca-19', options, { input: `label:\n${source}\n`, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] })
  return Number(/Total Cycles:\s+(\d+)/.exec(output)[1]) / iterations
}

const best = new Map()
for (const fn of functions) {
  const kernel = /(\w+)(?:<|\(|$)/.exec(fn.name.replace(/^.*?\(anonymous namespace\)::/, '').replace(/^void /, ''))[1]
  for (const loop of loopsOf(fn)) {
    const multiplies = loop.filter(isFma)
    const fmas = isUnrolled(multiplies) ? 0 : multiplies.length
    const known = best.get(kernel) ?? { fmas: 3, loop: [] }
    if (fmas > known.fmas || (fmas === known.fmas && loop.length < known.loop.length)) best.set(kernel, { fmas, loop })
  }
}

console.log(
  '| kernel | multiply-adds in the loop | other instructions | cycles | cycles per multiply-add | of the limit, % |\n|---|---|---|---|---|---|',
)
for (const [kernel, { fmas, loop }] of [...best].sort(([a], [b]) => a.localeCompare(b))) {
  const cycles = cyclesOf(loop)
  const row = [
    `\`${kernel}\``,
    fmas,
    loop.length - fmas,
    cycles.toFixed(1),
    (cycles / fmas).toFixed(2),
    Math.round((100 * limit * fmas) / cycles),
  ]
  console.log(`| ${row.join(' | ')} |`)
}
