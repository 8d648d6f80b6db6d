/**
 * What does the dashboard cost? Processor time of a training, and of a dashboard with a page that looks, which is told as many steps in as many seconds while nothing
 * else runs, less that of what tells it: of its own, then, and all of it, feature maps and what is sent included.
 * `npm run bench:dashboard -- [seconds for each, default 10] [which: lenet, dense]`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { adam, type Dashboard, dashboard, dense, flatten, isa, type Model, sequential, threads } from 'convlane'
import { type InputShape, nets, noise } from './nets'

const INPUT: InputShape = [28, 28, 1]

/** What looks, in a process of its own: reads the events, as a page does. */
const READER = "require('node:http').get(process.argv[1] + 'events', (response) => { console.log('reads'); response.resume() })"

/** Long steps, and steps so short that what is done at each counts. */
const trainings: Readonly<Record<string, { readonly batch: number; readonly make: () => Model }>> = {
  'lenet, batches of 64': { batch: 64, make: () => nets.lenet!(INPUT) },
  'one dense layer, batches of 16': {
    batch: 16,
    make: () => sequential({ input: INPUT, seed: 1 }, flatten(), dense(10)).compile({ optimizer: adam(), loss: 'softmaxCrossEntropy' }),
  },
}

/** Milliseconds of processor time in each second that a piece of work goes on. */
async function load(work: () => Promise<unknown>): Promise<number> {
  const [start, before] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (performance.now() - start)
}

async function train(model: Model, batch: number, seconds: number): Promise<{ busy: number; rate: number }> {
  const stop = new AbortController()
  const end = performance.now() + 1000 * seconds
  let steps = 0
  const onStep = () => {
    steps++
    if (performance.now() > end) stop.abort()
  }
  const busy = await load(() => model.fit(noise(batch * 64, INPUT), { batchSize: batch, epochs: 1e6, signal: stop.signal, onStep }))
  return { busy, rate: steps / seconds }
}

/** Tells of steps at a rate, and of an epoch each second. */
async function pretend(board: Pick<Dashboard, 'onStep' | 'onEpoch'>, rate: number, seconds: number): Promise<void> {
  const start = performance.now()
  const steps = Math.ceil(rate)
  const event = (done: number) => ({
    epoch: Math.floor(done / steps) + 1,
    step: (done % steps) + 1,
    steps,
    loss: 2 / (1 + done),
    metrics: { accuracy: 1 - 1 / (2 + done) },
    gradientNorm: 1 / (1 + done),
    learningRate: 0.01,
    imagesPerSecond: 1e5 / 7,
  })
  for (let done = 0, now = 0; now < seconds; now = (performance.now() - start) / 1000) {
    for (; done < now * rate; done++) {
      board.onStep(event(done))
      if ((done + 1) % steps === 0) board.onEpoch({ ...event(done), seconds: 1 })
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function main(seconds: number, which: string): Promise<void> {
  process.stdout.write(`${isa()}, ${threads()} threads\n`)
  for (const [name, { batch, make }] of Object.entries(trainings)) {
    if (!name.includes(which)) continue
    const model = make()
    const { busy, rate } = await train(model, batch, seconds)
    const data = noise(8, INPUT).x
    const board = dashboard({ port: 0, model, images: data })
    const reader = spawn(process.execPath, ['-e', READER, await board.listen()], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(reader.stdout, 'data')
    // What is done once is over, and what comes behind a training, too.
    await pretend(board, rate, 1)
    const all = await load(() => pretend(board, rate, seconds))
    await board.close()
    const own = all - (await load(() => pretend({ onStep() {}, onEpoch() {} }, rate, seconds)))
    process.stdout.write(
      `${name}, ${rate.toFixed(0)} steps/s: in each second the training takes ${busy.toFixed(0)} ms of processor time, ` +
        `the dashboard ${own.toFixed(1)} ms: ${((100 * own) / busy).toFixed(2)} %\n`,
    )
  }
}

main(Number(process.argv[2] ?? 10), process.argv[3] ?? '').catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`)
  process.exitCode = 1
})
