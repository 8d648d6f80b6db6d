import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { imageFolder } from '../../lib/data/imageFolder'
import { streamImageFolder } from '../../lib/data/imageStream'
import { adam, conv2d, dense, flatten, sequential } from '../../lib/index'
import { weightsSha256 } from '../../lib/io/weights-hash'
import { temporaryFolder } from '../support/folder'
import { drawn, folderOf } from '../support/images'

let images: Record<string, Buffer>
beforeAll(async () => {
  images = {}
  for (let i = 0; i < 12; i++) {
    images[`a/${i}.png`] = await drawn({ colour: [20 * i, 10, 5] })
    images[`b/${i}.png`] = await drawn({ colour: [240, 20 * i, 235] })
  }
})

const network = () => {
  const model = sequential({ input: [4, 4, 3], seed: 1 }, conv2d(4, 3, { activation: 'relu' }), flatten(), dense(2))
  return model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
}

describe('a folder of images as a stream', () => {
  test('teaches the same as one in memory, bit for bit', async () => {
    const dir = folderOf(images)
    const whole = await imageFolder(dir, { size: 4, seed: 3 })
    const stream = await streamImageFolder(dir, { size: 4, seed: 3, batchSize: 5, concurrency: 3 })
    expect([stream.train.files, stream.test.files]).toEqual([whole.train.files, whole.test.files])
    expect([stream.train.length, stream.test.length, stream.classNames]).toEqual([20, 4, ['a', 'b']])
    const [one, other] = [network(), network()]
    const options = { epochs: 3, batchSize: 5, seed: 3 }
    const { epochs } = await one.fit(whole.train, { ...options, validationData: whole.test })
    const streamed = await other.fit(stream.train, { ...options, validationData: stream.test })
    expect(weightsSha256(await other.getWeights())).toBe(weightsSha256(await one.getWeights()))
    expect(streamed.epochs.map(({ loss }) => loss)).toEqual(epochs.map(({ loss }) => loss))
    expect(other.classNames).toEqual(['a', 'b'])
  })

  test('goes on from a checkpoint with the order that a run without a stop has', async () => {
    const dir = folderOf(images)
    const checkpoint = { file: join(temporaryFolder(), 'checkpoint') }
    const stream = () => streamImageFolder(dir, { size: 4, batchSize: 6 })
    const whole = network()
    await whole.fit((await stream()).train, { epochs: 4 })
    const first = network()
    await first.fit((await stream()).train, { epochs: 2, checkpoint })
    const second = network()
    await second.fit((await stream()).train, { epochs: 4, resume: checkpoint.file })
    expect(weightsSha256(await second.getWeights())).toBe(weightsSha256(await whole.getWeights()))
  })

  test('has another order in each epoch, or always that of the paths', async () => {
    const dir = folderOf(images)
    const order = async (shuffle: boolean, epoch: number) => {
      const { train } = await streamImageFolder(dir, { size: 1, batchSize: 100, shuffle })
      for await (const { x } of train.epoch(epoch)) return [...(x as { data: Uint8Array }).data]
      return []
    }
    expect(await order(true, 0)).toEqual(await order(true, 0))
    expect(await order(true, 1)).not.toEqual(await order(true, 0))
    expect(await order(false, 1)).toEqual(await order(false, 0))
  })

  test('fills batches where images are left out, and tells each broken one once', async () => {
    const dir = folderOf({ ...images, 'a/3.png': 'a text', 'b/4.png': 'another' })
    const told: string[] = []
    const stream = await streamImageFolder(dir, {
      size: 4,
      batchSize: 4,
      validationSplit: 0.1,
      onBroken: ({ file }) => void told.push(file),
    })
    for (let epoch = 0; epoch < 2; epoch++) {
      const sizes: number[] = []
      for await (const { y } of stream.train.epoch(epoch)) sizes.push((y as { data: Int32Array }).data.length)
      expect(sizes).toEqual([4, 4, 4, 4, 4])
    }
    expect([...told].sort()).toEqual(['a/3.png', 'b/4.png'])
    expect(stream.skipped.map(({ file }) => file)).toEqual(told)
    const strict = await streamImageFolder(dir, { size: 4 })
    await expect(network().fit(strict.train, { epochs: 1 })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringContaining('is no image'),
    })
  })

  test.each<[object, string, RegExp]>([
    [{ size: 4, batchSize: 0 }, 'INVALID_ARGUMENT', /^streamImageFolder: batchSize must be/],
    [{ size: 4, shuffle: 1 }, 'INVALID_ARGUMENT', /^streamImageFolder: shuffle must be true or false/],
    [{ size: 4, onProgress() {} }, 'INVALID_ARGUMENT', /unknown option "onProgress"/],
    [{ size: 4 }, 'FILE_ERROR', /two classes at least, found none$/],
  ])('refuses an empty folder with %j', async (options, code, message) => {
    const reading = streamImageFolder(temporaryFolder(), options as { size: 4 })
    await expect(reading).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })
})
