import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadNative } from '#lib/native'
import { convProblems } from './conv'
import { gemmProblems } from './gemm'
import { measure } from './measure'
import { poolProblems } from './pool'
import { type Row, tableHeader, tableLine, toJson } from './row'
import { readSuite, type Suite, SuiteError } from './suite'
import { measureTraining } from './train'

const KINDS = ['conv', 'pool', 'gemm', 'train'] as const
type Kind = (typeof KINDS)[number]

const USAGE = `npm run bench -- [--suite FILE] [--kind conv|pool|gemm|train] [--threads N] [--isa scalar|avx2|avx512|neon] [--seconds S] [--json]

  --suite    what to measure: a JSON file like bench/suite.json, which is the default
  --kind     only these, separated by commas
  --threads  as many threads, or several numbers separated by commas (default: as many as this process may use)
  --isa      on these kernels (default: the best that this machine runs)
  --seconds  time for each algorithm of each shape (default 0.5)
  --json     one JSON object a line instead of a table`

class UsageError extends Error {}

interface Options {
  readonly suite: Suite
  readonly kinds: ReadonlySet<Kind>
  readonly threads: readonly number[]
  readonly seconds: number
  readonly json: boolean
}

function parseOptions(args: string[]): Options & { isa: string | undefined } {
  const { values } = readArguments(args)
  const kinds = values.kind?.split(',') ?? [...KINDS]
  for (const kind of kinds)
    if (!KINDS.includes(kind as Kind)) throw new UsageError(`--kind: expected ${KINDS.join(', ')}, received ${kind}`)
  const threads = values.threads?.split(',').map(Number) ?? [0]
  if (values.threads !== undefined && !threads.every((n) => Number.isInteger(n) && n >= 1 && n <= 1024)) {
    throw new UsageError(`--threads: expected integers from 1 to 1024, received ${values.threads}`)
  }
  const seconds = Number(values.seconds ?? 0.5)
  if (!(seconds >= 0 && seconds <= 3600)) throw new UsageError(`--seconds: expected a number from 0 to 3600, received ${values.seconds}`)
  const suite = readSuite(values.suite ?? join(__dirname, '..', 'bench', 'suite.json'))
  return { suite, kinds: new Set(kinds as Kind[]), threads, seconds, json: values.json ?? false, isa: values.isa }
}

function readArguments(args: string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({ args, options: { suite: text, kind: text, threads: text, isa: text, seconds: text, json: { type: 'boolean' } } })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** The instruction set is chosen once, when the native core is loaded: another one needs a process of its own. */
function runWithIsa(isa: string, args: string[]): number {
  const env = { ...process.env, CONVLANE_ISA: isa }
  return spawnSync(process.execPath, [__filename, ...args], { stdio: 'inherit', env }).status ?? 1
}

async function runBench({ suite, kinds, threads, seconds, json }: Options): Promise<void> {
  const binding = loadNative()
  const emit = (row: Row) => process.stdout.write(`${json ? toJson(row) : tableLine(row)}\n`)
  for (const count of threads) {
    if (count > 0) binding.setThreads(count)
    if (!json) process.stdout.write(`\n${binding.isa()} kernels, ${binding.threads()} threads\n${tableHeader()}\n`)
    const problems = [
      ...(kinds.has('conv') ? suite.convs.flatMap(convProblems) : []),
      ...(kinds.has('pool') ? suite.pools.flatMap(poolProblems) : []),
      ...(kinds.has('gemm') ? suite.gemms.flatMap(gemmProblems) : []),
    ]
    for (const problem of problems) for (const row of measure(binding, problem, seconds)) emit(row)
    for (const item of kinds.has('train') ? suite.train : []) {
      const result = await measureTraining(item, binding.threads(), seconds)
      if ('absent' in result) (json ? process.stderr : process.stdout).write(`${item.id}: absent, ${result.absent}\n`)
      else emit(result)
    }
  }
}

async function main(args: string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${USAGE}\n`)
    return
  }
  const { isa, ...options } = parseOptions(args)
  if (isa !== undefined && process.env.CONVLANE_ISA !== isa) process.exitCode = runWithIsa(isa, args)
  else await runBench(options)
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const isExpected = error instanceof UsageError || error instanceof SuiteError || (error instanceof Error && 'code' in error)
  process.stderr.write(`bench: ${isExpected ? (error as Error).message : ((error as Error).stack ?? error)}\n`)
  if (error instanceof UsageError) process.stderr.write(`${USAGE}\n`)
  process.exitCode = 1
})
