/** Trains one network of the suite for a while and prints what it took, as JSON. */
import { performance } from 'node:perf_hooks'
import type { InputShape } from './nets'

export interface TrainingTimes {
  readonly min_ms: number
  readonly median_ms: number
  readonly reps: number
  readonly peak_rss_mb: number
  readonly startup_ms: number
}

interface Order {
  readonly id: string
  readonly batch: number
  readonly input: InputShape
  readonly threads: number
  readonly seconds: number
}

/** Steps overlap with the callbacks that report them: the time of one is that of so many, divided. */
const WINDOW = 4
const WARM_UP = 4

async function train({ id, batch, input, threads, seconds }: Order): Promise<TrainingTimes> {
  const start = performance.now()
  const { setThreads } = await import('convlane')
  const { nets, noise } = await import('./nets.js')
  const { summarize } = await import('./measure.js')
  setThreads(threads)
  const model = nets[id]!(input)
  const first = noise(batch, input)
  await model.trainOnBatch(first.x, first.y)
  const startup = performance.now() - start

  const data = noise(batch * 8, input)
  const ends: number[] = []
  const stop = new AbortController()
  const least = WARM_UP + 5 * WINDOW
  const onStep = () => {
    ends.push(performance.now())
    if (ends.length > least && performance.now() > ends[0]! + 1000 * seconds) stop.abort()
  }
  await model.fit(data, { batchSize: batch, epochs: 1_000_000, signal: stop.signal, onStep })
  const times: number[] = []
  for (let i = WARM_UP; i + WINDOW < ends.length; i += WINDOW) times.push((ends[i + WINDOW]! - ends[i]!) / WINDOW)
  const { min, median } = summarize(times)
  const peak = process.resourceUsage().maxRSS / 1024
  return { min_ms: min, median_ms: median, reps: times.length * WINDOW, peak_rss_mb: peak, startup_ms: startup }
}

train(JSON.parse(process.argv[2]!)).then(
  (times) => process.stdout.write(`${JSON.stringify(times)}\n`),
  (error: Error) => {
    process.stderr.write(`${error.stack}\n`)
    process.exitCode = 1
  },
)
