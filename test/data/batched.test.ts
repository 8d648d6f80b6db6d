import { describe, expect, test } from 'vitest'
import { type BatchedOptions, batched, type Sample, type SampleSource } from '../../lib/data/batched'
import { dense, sequential, sgd } from '../../lib/index'
import type { XY } from '../../lib/train/data'

async function all(source: AsyncIterable<XY>): Promise<XY[]> {
  const batches: XY[] = []
  for await (const batch of source) batches.push(batch)
  return batches
}

const numbered = (count: number): Sample[] => Array.from({ length: count }, (_, i) => ({ x: Uint8Array.of(i, 2 * i), y: i % 3 }))
const firsts = (batches: readonly XY[]) => batches.map(({ x }) => [...(x as { data: Uint8Array }).data].filter((_, at) => at % 2 === 0))

describe('batched', () => {
  test('makes batches, the last one smaller, of class numbers or of values', async () => {
    const batches = await all(batched(numbered(5), { batchSize: 2, normalize: { scale: 1, offset: 0 } }))
    expect(batches).toEqual([
      {
        x: { shape: [2, 2], data: Uint8Array.of(0, 0, 1, 2) },
        y: { shape: [2], data: Int32Array.of(0, 1) },
        normalize: { scale: 1, offset: 0 },
      },
      {
        x: { shape: [2, 2], data: Uint8Array.of(2, 4, 3, 6) },
        y: { shape: [2], data: Int32Array.of(2, 0) },
        normalize: { scale: 1, offset: 0 },
      },
      { x: { shape: [1, 2], data: Uint8Array.of(4, 8) }, y: { shape: [1], data: Int32Array.of(1) }, normalize: { scale: 1, offset: 0 } },
    ])
    const image = { shape: [1, 2, 1], data: Float32Array.of(0.5, 0.25) }
    expect(await all(batched([{ x: image, y: [3] }]))).toEqual([
      { x: { shape: [1, 1, 2, 1], data: image.data }, y: { shape: [1, 1], data: Float32Array.of(3) } },
    ])
    expect(await all(batched([]))).toEqual([])
  })

  test('draws among as many as it holds, by seed and epoch', async () => {
    const source = (shuffle: number, seed: number) => batched(numbered(40), { batchSize: 40, shuffle, seed })
    const order = async (shuffle: number, seed: number, epoch: number) => firsts(await all(source(shuffle, seed).epoch(epoch)))[0]!
    const first = await order(8, 1, 0)
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i))
    for (const [at, number] of first.entries()) expect(number).toBeLessThan(at + 8)
    expect(await order(8, 1, 0)).toEqual(first)
    expect(await order(8, 2, 0)).not.toEqual(first)
    expect(await order(8, 1, 1)).not.toEqual(first)
    expect(await order(0, 1, 1)).toEqual(Array.from({ length: 40 }, (_, i) => i))
  })

  test('reads no further than is asked for, and closes what it reads', async () => {
    let [read, closed] = [0, 0]
    const samples = async function* () {
      try {
        for (;;) yield { x: [read++], y: [1] }
      } finally {
        closed++
      }
    }
    const iterator = batched(samples, { batchSize: 4 })[Symbol.asyncIterator]()
    expect(read).toBe(0)
    await iterator.next()
    expect(read).toBe(4)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(read).toBe(4)
    await iterator.return?.()
    expect(closed).toBe(1)
  })

  test('teaches a network, which waits for the source and lets it wait', async () => {
    let [most, read, steps] = [0, 0, 0]
    const samples = async function* (epoch: number) {
      for (let i = 0; i < 40; i++) {
        const x = Math.cos(40 * epoch + i)
        most = Math.max(most, ++read - 4 * steps)
        yield { x: [x], y: [3 * x + 1] }
      }
    }
    const model = sequential({ input: [1], seed: 1 }, dense(1)).compile({ optimizer: sgd({ learningRate: 0.3 }), loss: 'meanSquaredError' })
    await model.fit(batched(samples, { batchSize: 4, shuffle: 2 }), { epochs: 6, callbacks: [{ onStep: () => void steps++ }] })
    const { 'dense/kernel': kernel, 'dense/bias': bias } = await model.getWeights()
    expect(kernel!.data[0]).toBeCloseTo(3, 2)
    expect(bias!.data[0]).toBeCloseTo(1, 2)
    // Of four: two under way, one that waits, and those that are drawn among.
    expect(most).toBeLessThanOrEqual(4 * 4)
  })

  test('gives fit the epochs by number, and the names of classes', async () => {
    const epochs: number[] = []
    const samples = (epoch: number) => {
      epochs.push(epoch)
      return numbered(6)
    }
    const model = sequential({ input: [2], seed: 1 }, dense(3)).compile({
      optimizer: sgd({ learningRate: 0.1 }),
      loss: 'softmaxCrossEntropy',
    })
    await model.fit(batched(samples, { classNames: ['a', 'b', 'c'] }), { epochs: 3 })
    expect(epochs).toEqual([0, 1, 2])
    expect(model.classNames).toEqual(['a', 'b', 'c'])
  })

  test.each<[unknown, string, RegExp]>([
    [{ x: [1, 2], y: 0 }, 'INVALID_SHAPE', /^batched: sample 1: x has shape \[2\], those before have \[1\]$/],
    [{ x: Uint8Array.of(1), y: 0 }, 'INVALID_DTYPE', /^batched: sample 1: x has bytes, those before have floats$/],
    [{ x: [1], y: [0] }, 'INVALID_ARGUMENT', /sample 1: y must be a class number, as of those before/],
    [{ x: [1], y: 1.5 }, 'INVALID_ARGUMENT', /sample 1: y, as a class number, must be an integer of at least 0|integer from/],
    [{ x: [1], y: Number.NaN }, 'INVALID_ARGUMENT', /y, as a class number/],
    [{ x: ['1'], y: 0 }, 'INVALID_ARGUMENT', /sample 1: x must be numbers/],
    [{ x: { shape: [2], data: Float32Array.of(1) }, y: 0 }, 'INVALID_SHAPE', /x has shape \[2\], 2 elements, but its data has 1/],
    [{ x: [], y: 0 }, 'INVALID_SHAPE', /those before have \[1\]/],
    [3, 'INVALID_ARGUMENT', /sample 1: it must be an object/],
  ])('refuses %j after another sample', async (sample, code, message) => {
    const samples = [{ x: [1], y: 0 }, sample as Sample]
    await expect(all(batched(samples))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test.each<[unknown, object, RegExp]>([
    [3, {}, /samples must be an iterable/],
    ['text', {}, /samples must be an iterable/],
    [[], { batchSize: 0 }, /batchSize must be/],
    [[], { shuffle: true }, /shuffle must be/],
    [[], { seed: 0.5 }, /seed must be/],
    [[], { size: 1 }, /unknown option "size"/],
  ])('refuses %j with %j', (samples, options, message) => {
    expect(() => batched(samples as SampleSource, options as BatchedOptions)).toThrow(message)
  })
})
