import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Samples } from '../../lib/data/dataset'
import { type Answer, RequestQueue } from '../../lib/serve/requestQueue'
import type { Column } from '../../lib/train/data'
import { expectError } from '../support/models'

const limits = { maxBatch: 4, maxWait: 0, maxQueue: 8 }
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Samples of two numbers each: k and 10 k, from k on. */
function samples(first: number, n = 1): { n: number; x: Column[] } {
  const data = Float32Array.from({ length: 2 * n }, (_, i) => (first + (i >> 1)) * (i % 2 ? 10 : 1))
  return { n, x: [{ form: { dtype: 'float32', shape: [2] }, data }] }
}

/** A model that answers with the sum of each sample, when told to: runs are kept until `end`. */
function model() {
  const runs: { x: readonly Samples[]; end: (error?: unknown) => void }[] = []
  const run = (x: readonly Samples[]) =>
    new Promise<Answer>((resolve, reject) => {
      const [{ shape, data }] = x as [Samples]
      const sums = Float32Array.from({ length: shape[0]! }, (_, k) => data[2 * k]! + data[2 * k + 1]!)
      runs.push({ x, end: (error) => (error ? reject(error) : resolve([{ shape: [shape[0]!, 1], data: sums }])) })
    })
  return { runs, run, sizes: () => runs.map(({ x }) => x[0]!.shape[0]) }
}

/** Ends all runs, those that follow from it, too. */
async function endAll({ runs }: ReturnType<typeof model>): Promise<void> {
  for (let ended = 0; ended < runs.length; await turn()) runs[ended++]!.end()
}

const sums = async (answer: Promise<Answer>) => [...(await answer)[0]!.data]

afterEach(() => {
  vi.useRealTimers()
})

describe('calls', () => {
  test('of one turn share a run; those that come meanwhile the next ones, at most two under way, each of at most maxBatch samples', async () => {
    const { run, runs, sizes } = model()
    const queue = new RequestQueue(run, { ...limits, maxQueue: 100 })
    const answers = [1, 2, 3].map((k) => queue.ask(samples(k), 'predict', undefined))
    expect(sizes()).toEqual([])
    await turn()
    expect(sizes()).toEqual([3])
    answers.push(queue.ask(samples(4), 'predict', undefined))
    await turn()
    expect(sizes()).toEqual([3, 1])
    for (let k = 5; k <= 13; k++) answers.push(queue.ask(samples(k), 'predict', undefined))
    await turn()
    expect(sizes()).toEqual([3, 1])
    expect(queue.statistics).toEqual({ waiting: 9, running: 4, answered: 0, refused: 0, runs: 2 })
    runs[1]!.end()
    await turn()
    expect(sizes()).toEqual([3, 1, 4])
    runs[0]!.end()
    await turn()
    expect(sizes()).toEqual([3, 1, 4, 4])
    await endAll({ run, runs, sizes })
    expect(sizes()).toEqual([3, 1, 4, 4, 1])
    for (const [at, answer] of answers.entries()) expect(await sums(answer)).toEqual([(at + 1) * 11])
    expect(queue.statistics).toEqual({ waiting: 0, running: 0, answered: 13, refused: 0, runs: 5 })
  })

  test('of several samples are cut into runs and joined again, in whatever order the runs end', async () => {
    const made = model()
    const queue = new RequestQueue(made.run, limits)
    const answers = [queue.ask(samples(1, 3), 'predict', undefined), queue.ask(samples(4, 5), 'predict', undefined)]
    await turn()
    expect(made.sizes()).toEqual([4, 4])
    made.runs[1]!.end()
    await turn()
    made.runs[0]!.end()
    expect(await sums(answers[0]!)).toEqual([11, 22, 33])
    expect(await answers[1]).toEqual([{ shape: [5, 1], data: Float32Array.of(44, 55, 66, 77, 88) }])
  })

  test('of other kinds do not share a run, and keep their order', async () => {
    const made = model()
    const queue = new RequestQueue(made.run, limits)
    const bytes: Column = { form: { dtype: 'uint8', shape: [2], normalize: { scale: 1, offset: 0 } }, data: Uint8Array.of(1, 2) }
    const answers = [
      queue.ask(samples(1), 'predict', undefined),
      queue.ask(samples(2), 'predict', undefined),
      queue.ask({ n: 1, x: [bytes] }, 'predict', undefined),
      queue.ask(samples(3), 'predict', undefined),
    ]
    await endAll(made)
    await turn()
    await endAll(made)
    expect(made.sizes()).toEqual([2, 1, 1])
    expect(made.runs[1]!.x[0]!.data).toEqual(Uint8Array.of(1, 2))
    expect(await Promise.all(answers.map(sums))).toEqual([[11], [22], [3], [33]])
  })

  test('keep the samples that they had: copies, of a Buffer, too', async () => {
    const made = model()
    const queue = new RequestQueue(made.run, limits)
    const data = Buffer.from([1, 2])
    const answer = queue.ask({ n: 1, x: [{ form: { dtype: 'uint8', shape: [2] }, data }] }, 'predict', undefined)
    data.fill(9)
    await endAll(made)
    await turn()
    await endAll(made)
    expect(await sums(answer)).toEqual([3])
  })
})

describe('a full queue', () => {
  test('refuses with OVERLOADED, and takes more when there is room; nothing that waits is lost', async () => {
    const made = model()
    const queue = new RequestQueue(made.run, limits)
    const answers = [queue.ask(samples(1, 5), 'predict', undefined), queue.ask(samples(6, 3), 'predict', undefined)]
    await expectError(
      () => queue.ask(samples(9), 'predict', undefined),
      'OVERLOADED',
      'predict: 8 samples wait already, at most 8 may (maxQueue)',
    )
    await turn()
    answers.push(queue.ask(samples(9, 8), 'predict', undefined))
    await expectError(() => queue.ask(samples(1), 'predict', undefined), 'OVERLOADED', 'maxQueue')
    expect(queue.statistics).toMatchObject({ waiting: 8, running: 8, refused: 2 })
    await endAll(made)
    expect((await Promise.all(answers.map(sums))).flat()).toEqual(Array.from({ length: 16 }, (_, k) => (k + 1) * 11))
  })

  test('is told apart from calls that never fit', async () => {
    const queue = new RequestQueue(model().run, limits)
    await expectError(
      () => queue.ask(samples(1, 9), 'predict', undefined),
      'INVALID_ARGUMENT',
      'at most 8 samples (maxQueue) at a time, received 9',
    )
  })
})

describe('a signal', () => {
  test('takes a call out of the queue, which makes room, or out of a run', async () => {
    const made = model()
    const queue = new RequestQueue(made.run, limits)
    const stops = Array.from({ length: 4 }, () => new AbortController())
    const ask = (n: number, at: number) => {
      const answer = queue.ask(samples(at, n), 'predict', stops[at]!.signal)
      answer.catch(() => {})
      return answer
    }
    const running = ask(3, 0)
    await turn()
    const half = ask(6, 1)
    await turn()
    expect(queue.statistics).toMatchObject({ running: 7, waiting: 2 })
    const waiting = ask(6, 2)
    stops[2]!.abort()
    await expectError(() => waiting, 'ABORTED', 'AbortSignal')
    expect(queue.statistics).toMatchObject({ running: 7, waiting: 2 })
    stops[0]!.abort()
    stops[1]!.abort()
    await expectError(() => running, 'ABORTED', 'AbortSignal')
    await expectError(() => half, 'ABORTED', 'AbortSignal')
    expect(queue.statistics).toMatchObject({ running: 7, waiting: 0 })
    const last = ask(1, 3)
    await endAll(made)
    await endAll(made)
    expect(await sums(last)).toEqual([33])
    stops[3]!.abort()
    expect(queue.statistics).toEqual({ waiting: 0, running: 0, answered: 1, refused: 0, runs: 3 })
  })
})

test('a signal that many calls share has one listener, which goes with the last of them', async () => {
  const made = model()
  const queue = new RequestQueue(made.run, { ...limits, maxQueue: 100 })
  const stop = new AbortController()
  const listeners = () => getEventListeners(stop.signal, 'abort').length
  const answered = queue.ask(samples(0), 'predict', stop.signal)
  await turn()
  const other = queue.ask(samples(1, 5), 'predict', undefined)
  const waiting = Array.from({ length: 30 }, (_, k) => queue.ask(samples(k), 'predict', stop.signal))
  expect(listeners()).toBe(1)
  made.runs[0]!.end()
  expect(await sums(answered)).toEqual([0])
  expect(listeners()).toBe(1)
  stop.abort()
  for (const answer of waiting) await expectError(() => answer, 'ABORTED', 'AbortSignal')
  expect(listeners()).toBe(0)
  await endAll(made)
  await other
  expect(queue.statistics).toEqual({ waiting: 0, running: 0, answered: 2, refused: 0, runs: 3 })

  const later = new AbortController()
  for (let round = 0; round < 2; round++) {
    const answer = queue.ask(samples(1), 'predict', later.signal)
    expect(getEventListeners(later.signal, 'abort').length).toBe(1)
    await turn()
    made.runs.at(-1)!.end()
    await answer
    expect(getEventListeners(later.signal, 'abort').length).toBe(0)
  }
})

describe('maxWait', () => {
  test('lets a call wait for others, until the run is full or its time has come', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { run, runs, sizes } = model()
    const queue = new RequestQueue(run, { ...limits, maxWait: 50 })
    const answers = [queue.ask(samples(1), 'predict', undefined)]
    await turn()
    vi.advanceTimersByTime(30)
    answers.push(queue.ask(samples(2), 'predict', undefined))
    await turn()
    vi.advanceTimersByTime(19)
    expect(sizes()).toEqual([])
    vi.advanceTimersByTime(1)
    expect(sizes()).toEqual([2])
    for (let k = 3; k <= 7; k++) answers.push(queue.ask(samples(k), 'predict', undefined))
    await turn()
    expect(sizes()).toEqual([2, 4])
    runs[0]!.end()
    await turn()
    vi.advanceTimersByTime(49)
    expect(sizes()).toEqual([2, 4])
    vi.advanceTimersByTime(1)
    expect(sizes()).toEqual([2, 4, 1])
    for (const { end } of runs) end()
    expect((await Promise.all(answers.map(sums))).flat()).toEqual([11, 22, 33, 44, 55, 66, 77])
  })

  test('keeps no timer of a call that went', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const queue = new RequestQueue(model().run, { ...limits, maxWait: 50 })
    const stop = new AbortController()
    const answer = queue.ask(samples(1), 'predict', stop.signal)
    await turn()
    expect(vi.getTimerCount()).toBe(1)
    stop.abort()
    await expectError(() => answer, 'ABORTED', 'AbortSignal')
    await turn()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('close', () => {
  test('answers what waits, at once and in runs as full as they get, takes nothing more, and resolves when all is answered', async () => {
    const made = model()
    const queue = new RequestQueue(made.run, { ...limits, maxWait: 60_000 })
    const answers = Array.from({ length: 8 }, (_, k) => queue.ask(samples(k), 'predict', undefined))
    answers.pop()!.catch(() => {})
    let closed = 0
    const closing = [queue.close(), queue.close()].map((done) => done.then(() => closed++))
    await expectError(() => queue.ask(samples(1), 'predict', undefined), 'DISPOSED', 'predict: the predictor is closed')
    expect(made.sizes()).toEqual([4, 4])
    made.runs[0]!.end()
    await turn()
    expect(closed).toBe(0)
    made.runs[1]!.end(new Error('no'))
    await Promise.all(closing)
    expect(closed).toBe(2)
    expect((await Promise.all(answers.slice(0, 4).map(sums))).flat()).toEqual([0, 11, 22, 33])
    for (const answer of answers.slice(4)) await expect(answer).rejects.toThrow('no')
    await queue.close()
  })
})

test('a run that fails fails the calls in it, their rest that waits included, and no others', async () => {
  const made = model()
  const queue = new RequestQueue(made.run, { ...limits, maxQueue: 20 })
  const answers = [
    queue.ask(samples(1, 2), 'predict', undefined),
    queue.ask(samples(3, 9), 'predict', undefined),
    queue.ask(samples(12), 'predict', undefined),
  ]
  for (const answer of answers) answer.catch(() => {})
  await turn()
  made.runs[0]!.end(new Error('no'))
  await turn()
  await endAll(made)
  await endAll(made)
  for (const answer of answers.slice(0, 2)) await expect(answer).rejects.toThrow('no')
  expect(await sums(answers[2]!)).toEqual([132])
  expect(queue.statistics).toEqual({ waiting: 0, running: 0, answered: 1, refused: 0, runs: 3 })
})
