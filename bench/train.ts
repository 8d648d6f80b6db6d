import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isa } from 'convlane'
import { type Contender, settle, summarize, takeTurns } from './measure'
import { type InputShape, nets, noise } from './nets'
import { Driver } from './peers/driver'
import type { Row } from './row'
import type { TrainItem } from './suite'

/** What is compared is trained at this rate: a larger one would magnify roundings, through the normalization of few values. Peers know it, too. */
const CHECK_RATE = 1e-3
const PEER_TOLERANCE = 2e-3

/** Starts a peer; one that is absent is left out. */
export type Start = () => Promise<Driver | undefined>

/**
 * Whole training steps of a network, each contender's in a process of its own, so that memory and start are those of a program that only trains. They take turns as
 * in `measure`.
 */
export async function measureTraining(item: TrainItem, threads: number, seconds: number, starts: readonly Start[] = []): Promise<Row[]> {
  await checkStep(item)
  const folder = mkdtempSync(join(tmpdir(), 'convlane-bench-'))
  const drivers: Driver[] = []
  try {
    const file = join(folder, 'weights.safetensors')
    const expected = await firstLosses(item.id, item.input, 4, 'native', file)
    drivers.push(await startTraining(threads))
    for (const start of starts) {
      const driver = await start()
      if (driver !== undefined) drivers.push(driver)
    }
    const runners = []
    for (const driver of drivers) runners.push(await prepare(driver, item, file, expected))
    await takeTurns(runners, seconds)
    return runners.map((runner) => rowOf(runner, item, threads))
  } finally {
    for (const driver of drivers) driver.close()
    rmSync(folder, { recursive: true })
  }
}

export const startTraining = (threads: number) => Driver.start('convlane', [process.execPath, join(__dirname, 'train-process.js')], threads)

interface Runner extends Contender {
  readonly startup_ms: number
  peak_rss_mb: number
}

async function prepare(driver: Driver, { id, batch, input }: TrainItem, file: string, expected: readonly number[]): Promise<Runner> {
  const { contenders, startup_ms } = await driver.ask(`open train ${id} ${batch} ${input.join(' ')} ${file}`)
  const [{ fmt, algo }] = contenders as [{ fmt: string; algo: string }]
  const isOwn = driver.peer === 'convlane'
  if (!isOwn) {
    const { values } = await driver.ask('sample 0 0')
    if (!expected.every((loss, i) => Math.abs(loss - (values?.[i] ?? Number.NaN)) <= PEER_TOLERANCE)) {
      throw new Error(`${driver.peer}: losses of the first steps of ${id}: expected ${expected.join(', ')}, received ${values?.join(', ')}`)
    }
  }
  const turn = async (milliseconds: number) => {
    const { times, peak_rss_mb } = await driver.ask(`run 0 ${milliseconds}`)
    runner.peak_rss_mb = peak_rss_mb!
    await settle()
    return times!
  }
  const version = isOwn ? {} : { version: driver.version }
  const runner: Runner = {
    ...{ peer: driver.peer, ...version, fmt, algo, chosen: isOwn },
    ...{ turn, rounds: [], startup_ms: startup_ms!, peak_rss_mb: 0 },
  }
  return runner
}

function rowOf(
  { peer, version, fmt, algo, chosen, rounds, startup_ms, peak_rss_mb }: Runner,
  { id, batch }: TrainItem,
  threads: number,
): Row {
  const times = summarize(rounds)
  const images_per_s = (1000 * batch) / times.round_ms
  const kernels = version === undefined ? { isa: isa() } : { version }
  return {
    ...{ kind: 'train', peer, threads, item: id, fmt, pass: 'step', algo, ...times, chosen, ...kernels, batch, images_per_s },
    ...{ peak_rss_mb, startup_ms },
  }
}

async function firstLosses(
  id: string,
  input: InputShape,
  count: number,
  runtime: 'native' | 'reference',
  file?: string,
): Promise<number[]> {
  const { x, y } = noise(count, input)
  const model = nets[id]!(input, runtime, CHECK_RATE)
  if (file !== undefined) await model.save(file)
  const steps = [await model.trainOnBatch(x, y), await model.trainOnBatch(x, y)]
  model[Symbol.dispose]()
  return steps.map(({ loss }) => loss)
}

/** Two steps on a few images, small ones for the sake of the reference runtime's loops. */
async function checkStep({ id, input: [height, width, channels] }: TrainItem): Promise<void> {
  const input = [Math.min(8, height), Math.min(8, width), channels] as const
  const received = await firstLosses(id, input, 4, 'native')
  const expected = await firstLosses(id, input, 4, 'reference')
  if (!expected.every((loss, i) => Math.abs(loss - received[i]!) <= 1e-3)) {
    throw new Error(`${id}: losses of the first steps: expected ${expected.join(', ')}, received ${received.join(', ')}`)
  }
}
