/** Trains one network of the suite in a process of its own: convlane as one of the drivers (peers/README.md). */
import type { Model } from 'convlane'
import { drive, type Way } from './peers/protocol'

const start = performance.now()
const NOISE_BATCHES = 8
const WINDOW_MS = 50

async function open([kind, id, ...numbers]: readonly string[]): Promise<{ ways: Way[]; more: { startup_ms: number } }> {
  const [batch, height, width, channels] = numbers.map(Number) as [number, number, number, number]
  if (kind !== 'train' || !channels) throw new Error('this driver does train, with a network and four numbers')
  const { setThreads } = await import('convlane')
  const { nets, noise } = await import('./nets.js')
  setThreads(Number(process.env.OMP_NUM_THREADS))
  const input = [height, width, channels] as const
  const model = nets[id!]!(input)
  const first = noise(batch, input)
  const { loss } = await model.trainOnBatch(first.x, first.y)
  const startup_ms = performance.now() - start
  const data = noise(batch * NOISE_BATCHES, input)
  const train = (milliseconds: number) => turn(model, data, batch, milliseconds)
  const run = () => train(0).then(() => {})
  return { ways: [{ fmt: 'nhwc', algo: 'auto', run, sample: () => [loss], turn: train }], more: { startup_ms } }
}

/** Mean time of a step, in windows of steps that take 50 ms together: steps overlap with the callbacks that report them. */
async function turn(model: Model, data: Parameters<Model['fit']>[0], batchSize: number, milliseconds: number): Promise<number[]> {
  const times: number[] = []
  const stop = new AbortController()
  let begin = 0
  let window = { start: 0, steps: 0 }
  const onStep = () => {
    const now = performance.now()
    if (begin === 0) {
      begin = now
      window = { start: now, steps: 0 }
      return
    }
    window.steps++
    if (now - window.start < WINDOW_MS) return
    times.push((now - window.start) / window.steps)
    window = { start: now, steps: 0 }
    if (times.length >= 2 && now - begin >= milliseconds) stop.abort()
  }
  await model.fit(data, { batchSize, epochs: 1_000_000, signal: stop.signal, onStep })
  return times
}

drive('convlane', open).catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
})
