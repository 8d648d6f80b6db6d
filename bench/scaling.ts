/**
 * Does the time of an image stay what it is? Tables of it against the batch and against the image's size, the latency of one image from JavaScript, and throughput
 * beside a process that keeps one core busy. `npm run bench:scaling`
 */
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { isa, type Model, setThreads } from 'convlane'
import { median } from './measure'
import { type InputShape, nets, noise } from './nets'

const USAGE = `npm run bench:scaling -- [--threads 1,2] [--part batch|size|predict|busy] [--seconds S]

  --threads  numbers of threads, separated by commas (default 1,2)
  --part     only these, separated by commas
  --seconds  time for each figure (default 0.3)`

const DIGIT: InputShape = [28, 28, 1]
const BATCHES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]
const SIZES = [12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 36, 40]
const SIZE_BATCH = 64

/** Least time of a call, in ms, of those that fit in so many seconds: five at least, after one that makes the program. */
async function leastTime(call: () => Promise<unknown>, seconds: number): Promise<number> {
  await call()
  const end = performance.now() + 1000 * seconds
  let least = Number.POSITIVE_INFINITY
  for (let runs = 0; runs < 5 || performance.now() < end; runs++) {
    const start = performance.now()
    await call()
    least = Math.min(least, performance.now() - start)
  }
  return least
}

/** Microseconds for an image. */
interface ImageTimes {
  readonly train: number
  readonly predict: number
}

async function imageTimes(input: InputShape, batch: number, seconds: number): Promise<ImageTimes> {
  const model = nets.lenet!(input)
  const { x, y } = noise(batch, input)
  const train = await leastTime(() => model.trainOnBatch(x, y), seconds)
  const predict = await leastTime(() => model.predict(x), seconds)
  model[Symbol.dispose]()
  return { train: (1000 * train) / batch, predict: (1000 * predict) / batch }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const cell = (value: string | number) => String(value).padStart(12)
const line = (...cells: readonly (string | number)[]) => print(cells.map(cell).join(''))

/** A line for each number of images in a step: µs for an image, and how many times those of batch 64 that is. */
async function byBatch(threads: number, seconds: number): Promise<void> {
  const times: ({ batch: number } & ImageTimes)[] = []
  for (const batch of BATCHES) times.push({ batch, ...(await imageTimes(DIGIT, batch, seconds)) })
  const base = times.find(({ batch }) => batch === SIZE_BATCH)!
  print(`\nlenet, 28 × 28, ${threads} threads: µs for an image, and by those in batches of ${SIZE_BATCH}`)
  line('batch', 'train', '', 'predict', '')
  for (const { batch, train, predict } of times) {
    line(batch, train.toFixed(1), (train / base.train).toFixed(2), predict.toFixed(1), (predict / base.predict).toFixed(2))
  }
}

/** A line for each size: µs for an image, ns for a pixel, and how far that is off the line between the neighbours. */
async function bySize(threads: number, seconds: number): Promise<void> {
  const times: ({ size: number } & ImageTimes)[] = []
  for (const size of SIZES) times.push({ size, ...(await imageTimes([size, size, 1], SIZE_BATCH, seconds)) })
  const pixels = (size: number) => size * size
  const off = (i: number, name: 'train' | 'predict') => {
    const [before, here, after] = [times[i - 1], times[i]!, times[i + 1]]
    if (!before || !after) return ''
    const share = (pixels(here.size) - pixels(before.size)) / (pixels(after.size) - pixels(before.size))
    const expected = before[name] + share * (after[name] - before[name])
    return `${(100 * (here[name] / expected - 1)).toFixed(0)} %`
  }
  print(`\nlenet, batches of ${SIZE_BATCH}, ${threads} threads: µs for an image, ns for a pixel, off the line between the neighbours`)
  line('size', 'train', 'a pixel', 'off', 'predict', 'a pixel', 'off')
  for (const [i, { size, train, predict }] of times.entries()) {
    const pixel = (time: number) => ((1000 * time) / pixels(size)).toFixed(1)
    line(size, train.toFixed(1), pixel(train), off(i, 'train'), predict.toFixed(1), pixel(predict), off(i, 'predict'))
  }
}

/** One image from JavaScript, its promise included. */
async function latency(threads: number, seconds: number): Promise<void> {
  const model = nets.lenet!(DIGIT)
  const { x } = noise(1, DIGIT)
  const times: number[] = []
  const end = performance.now() + 1000 * Math.max(1, seconds)
  while (performance.now() < end || times.length < 200) {
    const start = performance.now()
    await model.predict(x)
    times.push(1000 * (performance.now() - start))
  }
  const [least, middle] = [Math.min(...times), median(times)]
  print(
    `\nlenet, predict of one image, ${threads} threads: median ${middle.toFixed(0)} µs, least ${least.toFixed(0)} µs, ${times.length} calls`,
  )
  model[Symbol.dispose]()
}

/** Images in a second, of steps one after another. */
async function throughput(model: Model, seconds: number): Promise<number> {
  const batch = 128
  const stop = new AbortController()
  let [begin, end, steps] = [0, 0, -1]
  const onStep = () => {
    end = performance.now()
    if (steps++ < 0) begin = end
    else if (end - begin > 1000 * seconds) stop.abort()
  }
  await model.fit(noise(batch * 8, DIGIT), { batchSize: batch, epochs: 1_000_000, signal: stop.signal, onStep })
  return (1000 * steps * batch) / (end - begin)
}

/** Trains alone and beside a spinning process, in turns; the process stays on the first core where `taskset` can tell it to. */
async function besideBusy(threads: number, seconds: number): Promise<void> {
  const model = nets.lenet!(DIGIT)
  await throughput(model, seconds)
  const [alone, beside]: [number[], number[]] = [[], []]
  for (let round = 0; round < 3; round++) {
    alone.push(await throughput(model, Math.max(0.5, seconds)))
    const spin = [process.execPath, '-e', 'for (;;);']
    const [command, ...args] = process.platform === 'linux' ? ['taskset', '-c', '0', ...spin] : spin
    const busy = spawn(command!, args, { stdio: 'ignore' })
    const started = await new Promise<boolean>((resolve) => {
      busy.once('error', () => resolve(false))
      setTimeout(() => resolve(true), 100)
    })
    if (started) beside.push(await throughput(model, Math.max(1, seconds)))
    busy.kill('SIGKILL')
  }
  model[Symbol.dispose]()
  const [free, shared] = [median(alone), beside.length > 0 ? median(beside) : Number.NaN]
  print(
    `\nlenet, training in batches of 128, ${threads} threads: ${free.toFixed(0)} images/s alone, ${shared.toFixed(0)} beside a process that keeps a core ` +
      `busy: ${((100 * shared) / free).toFixed(0)} %`,
  )
}

const parts = { batch: byBatch, size: bySize, predict: latency, busy: besideBusy }

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { threads: text, part: text, seconds: text, help: { type: 'boolean' } } })
  if (values.help) return print(USAGE)
  const threads = (values.threads ?? '1,2').split(',').map(Number)
  const names = values.part?.split(',') ?? Object.keys(parts)
  const seconds = Number(values.seconds ?? 0.3)
  const isRight = threads.every((count) => Number.isInteger(count) && count >= 1) && names.every((name) => name in parts) && seconds >= 0
  if (!isRight) throw new Error(USAGE)
  print(`${isa()} kernels`)
  for (const count of threads) {
    setThreads(count)
    for (const name of names) await parts[name as keyof typeof parts](count, seconds)
  }
}

main().catch((error: Error) => {
  process.stderr.write(`bench: ${error.message}\n`)
  process.exitCode = 1
})
