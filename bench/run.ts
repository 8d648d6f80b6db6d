import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadNative } from '#lib/native'
import { Comparison } from './comparison'
import { convProblems } from './conv'
import { gemmProblems } from './gemm'
import { measure } from './measure'
import { memoryProblems } from './memory-ops'
import { nets } from './nets'
import { Absent, type Driver } from './peers/driver'
import { type Peer, peers, startPeer, takes } from './peers/list'
import { poolProblems } from './pool'
import type { Problem } from './problem'
import { type Row, tableHeader, tableLine, toJson } from './row'
import { readSuite, type Suite, SuiteError } from './suite'
import { measureTraining } from './train'

const KINDS = ['conv', 'pool', 'memory', 'gemm', 'train'] as const
type Kind = (typeof KINDS)[number]

const USAGE = `npm run bench -- [--suite FILE] [--kind conv|pool|memory|gemm|train] [--item NAME] [--threads N] [--isa scalar|avx2|avx512|neon]
                 [--seconds S] [--chosen] [--peers] [--json]

  --suite    what to measure: a JSON file like bench/suite.json, which is the default
  --kind     only these, separated by commas
  --item     only those whose names contain this, or one of these, separated by commas
  --threads  as many threads, or several numbers separated by commas (default: as many as this process may use)
  --isa      on these kernels (default: the best that this machine runs)
  --seconds  time for each algorithm of each shape (default 0.5)
  --chosen   of convlane's algorithms only those that it takes by itself
  --peers    beside other libraries, in turns: how many times as long as convlane each of them takes (bench/peers/README.md)
  --json     one JSON object a line instead of a table`

class UsageError extends Error {}

interface Options {
  readonly suite: Suite
  readonly kinds: ReadonlySet<Kind>
  readonly threads: readonly number[]
  readonly seconds: number
  readonly json: boolean
  readonly items: readonly string[]
  readonly withPeers: boolean
  readonly chosenOnly: boolean
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
  const { json = false, peers: withPeers = false, chosen: chosenOnly = false, isa } = values
  return {
    suite,
    kinds: new Set(kinds as Kind[]),
    threads,
    seconds,
    json,
    isa,
    items: values.item?.split(',') ?? [],
    withPeers,
    chosenOnly,
  }
}

function readArguments(args: string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = { suite: text, kind: text, item: text, threads: text, isa: text, seconds: text, chosen: flag, peers: flag, json: flag }
  try {
    return parseArgs({ args, options })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** The instruction set is chosen once, when the native core is loaded: another one needs a process of its own. */
function runWithIsa(isa: string, args: string[]): number {
  const env = { ...process.env, CONVLANE_ISA: isa }
  return spawnSync(process.execPath, [__filename, ...args], { stdio: 'inherit', env }).status ?? 1
}

/** Problems of one kind, in the order of the suite. */
const problemsOf: Readonly<Record<Exclude<Kind, 'train'>, (suite: Suite) => Problem[]>> = {
  conv: (suite) => suite.convs.flatMap(convProblems),
  pool: (suite) => suite.pools.flatMap(poolProblems),
  memory: (suite) => suite.memory.flatMap(memoryProblems),
  gemm: (suite) => suite.gemms.flatMap(gemmProblems),
}

async function runBench({ suite, kinds, items, threads, seconds, json, withPeers, chosenOnly }: Options): Promise<void> {
  const binding = loadNative()
  const print = (text: string) => process.stdout.write(`${text}\n`)
  const say = (text: string) => (json ? process.stderr : process.stdout).write(`${text}\n`)
  const absent = new Set<string>()
  const versions = new Set<string>()
  const start = async (peer: Peer): Promise<Driver | undefined> => {
    if (absent.has(peer.name)) return undefined
    try {
      const driver = await startPeer(peer, binding.threads())
      if (!versions.has(driver.version)) say(driver.version)
      versions.add(driver.version)
      return driver
    } catch (error) {
      if (!(error instanceof Absent)) throw error
      absent.add(peer.name)
      say(error.message)
      return undefined
    }
  }
  const wanted = ({ item }: { item: string }) => items.length === 0 || items.some((name) => item.includes(name))

  /** Shows the rows of each problem as they come. */
  async function show(kind: Kind, results: AsyncIterable<readonly Row[]>): Promise<void> {
    const comparison = withPeers && !json ? new Comparison(kind) : undefined
    let count = 0
    for await (const rows of results) {
      if (count++ === 0 && !json) print(comparison?.header() ?? tableHeader())
      if (comparison) print(comparison.add(rows))
      else for (const row of rows) print(json ? toJson(row) : tableLine(row))
    }
    if (comparison && count > 1) print(comparison.summary())
  }

  async function* ops(kind: Exclude<Kind, 'train'>): AsyncGenerator<readonly Row[]> {
    const drivers: { peer: Peer; driver: Driver }[] = []
    try {
      for (const peer of withPeers ? peers.filter(({ does }) => does.some((what) => what.startsWith(kind))) : []) {
        const driver = await start(peer)
        if (driver) drivers.push({ peer, driver })
      }
      for (const problem of problemsOf[kind](suite).filter(wanted)) {
        const able = drivers.filter(({ peer }) => takes(peer, problem.order)).map(({ driver }) => driver)
        yield await measure(binding, problem, { seconds, chosenOnly, drivers: able })
      }
    } finally {
      for (const { driver } of drivers) driver.close()
    }
  }

  async function* training(): AsyncGenerator<readonly Row[]> {
    const starts = (withPeers ? peers.filter(({ does }) => does.includes('train')) : []).map((peer) => () => start(peer))
    for (const item of suite.train.filter(({ id }) => wanted({ item: id }))) {
      if (item.id in nets) yield await measureTraining(item, binding.threads(), seconds, starts)
      else say(`${item.id}: absent, no network of this name`)
    }
  }

  for (const count of threads) {
    if (count > 0) binding.setThreads(count)
    if (!json) print(`\n${binding.isa()} kernels, ${binding.threads()} threads`)
    for (const kind of KINDS.filter((name) => kinds.has(name))) await show(kind, kind === 'train' ? training() : ops(kind))
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
