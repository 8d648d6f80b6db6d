/**
 * Where the choice of a convolution's algorithm, which follows from sizes and instruction set alone, is slower than the fastest that there is: what the constants
 * of native/core/conv_algorithm.cpp are judged by. `npm run bench:costs`
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { loadNative } from '#lib/native'
import { textTable } from '#lib/text-table'
import { convProblems } from './conv'
import { measure } from './measure'
import type { Problem } from './problem'
import type { Row } from './row'
import { type ConvShape, readSuite } from './suite'

const USAGE = `npm run bench:costs -- [--suite FILE] [--every K] [--seconds S] [--threads N] [--isa scalar|avx2|avx512|neon] [--tolerance T] [--json]

  --suite      the convolutions of a suite file (default: a grid of channels, filters, sizes, windows and batches)
  --every      only each K-th of them (default 1)
  --seconds    time for each algorithm of each shape (default 0.05)
  --threads    default 1: the choice does not depend on it
  --isa        on these kernels (default: the best that this machine runs)
  --tolerance  what the choice may take more than the fastest (default 0.1)
  --json       one JSON object a line, of every shape and pass, with the time of each algorithm`

const MOST_WORK = 6e8 // multiply-adds of a shape
const LEAST_WORK = 1e5

/** Stride 1 with the size kept, stride 2, and few channels on one side. */
function* grid(): Generator<ConvShape> {
  const channels = [1, 3, 8, 16, 24, 40, 64, 96, 128, 256, 512]
  for (const K of [1, 3, 5, 7])
    for (const size of [4, 7, 12, 14, 20, 28, 33, 56])
      for (const C of channels)
        for (const OC of channels)
          for (const N of [1, 8, 64])
            for (const stride of K > 1 ? [1, 2] : [1]) {
              const work = (N * size * size * C * OC * K * K) / stride ** 2
              if (K > size || OC < C / 4 || work < LEAST_WORK || work > MOST_WORK) continue
              const id = `${N},${C},${size},${size},${OC},${K},${stride}`
              yield { id, N, C, H: size, W: size, OC, KH: K, KW: K, stride, pad: (K - 1) / 2, groups: 1 }
            }
}

interface Verdict {
  readonly item: string
  readonly pass: string
  readonly chosen: string
  readonly fastest: string
  /** Time of the choice by that of the fastest. */
  readonly ratio: number
  readonly milliseconds: Readonly<Record<string, number>>
}

function verdictOn({ item, pass }: Problem, rows: readonly Row[]): Verdict {
  const chosen = rows.find((row) => row.chosen)!
  const fastest = rows.reduce((best, row) => (row.min_ms < best.min_ms ? row : best))
  const milliseconds = Object.fromEntries(rows.map(({ algo, min_ms }) => [algo, min_ms]))
  return { item, pass, chosen: chosen.algo, fastest: fastest.algo, ratio: chosen.min_ms / fastest.min_ms, milliseconds }
}

/** What the choice loses, in words: how often, and by how much in the mean. */
function summary(verdicts: readonly Verdict[], tolerance: number): string {
  const slower = verdicts.filter(({ ratio }) => ratio > 1 + tolerance)
  const mean = Math.exp(verdicts.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / Math.max(1, verdicts.length))
  const pairs = new Map<string, number[]>()
  for (const { pass, chosen, fastest, ratio } of slower) {
    const pair = `${pass}: ${chosen}, where ${fastest} is faster`
    pairs.set(pair, [...(pairs.get(pair) ?? []), ratio])
  }
  const rows = [...pairs]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([pair, ratios]) => [pair, `${ratios.length}`, `${Math.max(...ratios).toFixed(2)}x`])
  const least = `${slower.length} of ${verdicts.length} choices take more than ${1 + tolerance}x of the fastest's time; ${mean.toFixed(3)}x in the geometric mean`
  return rows.length > 0 ? `${textTable(['choice', 'how often', 'at most'], rows, [1, 2])}\n${least}` : least
}

async function run(shapes: readonly ConvShape[], seconds: number, tolerance: number, json: boolean): Promise<void> {
  const binding = loadNative()
  const verdicts: Verdict[] = []
  for (const problem of shapes.flatMap(convProblems)) {
    const rows = await measure(binding, problem, { seconds, chosenOnly: false, drivers: [] })
    const verdict = verdictOn(problem, rows)
    verdicts.push(verdict)
    const { item, pass, chosen, fastest, ratio, milliseconds } = verdict
    if (json) process.stdout.write(`${JSON.stringify({ isa: binding.isa(), ...verdict })}\n`)
    else if (ratio > 1 + tolerance) {
      const times = `${milliseconds[chosen]!.toFixed(3)} ms, ${milliseconds[fastest]!.toFixed(3)} ms`
      process.stdout.write(`${item.padEnd(24)} ${pass}  ${chosen} ${ratio.toFixed(2)}x of ${fastest} (${times})\n`)
    }
  }
  if (!json) process.stdout.write(`${summary(verdicts, tolerance)}\n`)
}

async function main(args: string[]): Promise<void> {
  const text = { type: 'string' } as const
  const options = { suite: text, every: text, seconds: text, threads: text, isa: text, tolerance: text } as const
  const { values } = parseArgs({ args, options: { ...options, json: { type: 'boolean' }, help: { type: 'boolean' } } })
  if (values.help) {
    process.stdout.write(`${USAGE}\n`)
    return
  }
  if (values.isa !== undefined && process.env.CONVLANE_ISA !== values.isa) {
    const env = { ...process.env, CONVLANE_ISA: values.isa }
    process.exitCode = spawnSync(process.execPath, [__filename, ...args], { stdio: 'inherit', env }).status ?? 1
    return
  }
  const [every, seconds, threads] = [Number(values.every ?? 1), Number(values.seconds ?? 0.05), Number(values.threads ?? 1)]
  const tolerance = Number(values.tolerance ?? 0.1)
  if (!(Number.isInteger(every) && every >= 1 && seconds >= 0 && Number.isInteger(threads) && threads >= 1 && tolerance >= 0)) {
    throw new Error('--every, --seconds, --threads and --tolerance take numbers')
  }
  loadNative().setThreads(threads)
  const shapes = values.suite === undefined ? [...grid()] : readSuite(values.suite).convs
  await run(
    shapes.filter((_, index) => index % every === 0),
    seconds,
    tolerance,
    values.json ?? false,
  )
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`bench:costs: ${(error as Error).message}\n${USAGE}\n`)
  process.exitCode = 1
})
