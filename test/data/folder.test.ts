import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fromFolder } from '../../lib/data/folder'
import { temporaryFolder } from '../support/folder'
import { idxBytes } from '../support/idx'

function idxSet(change: Readonly<Record<string, Buffer | undefined>> = {}): string {
  const dir = temporaryFolder()
  const files: Record<string, Buffer | undefined> = {
    'train-images-idx3-ubyte': idxBytes([4, 5, 6]),
    'train-labels-idx1-ubyte': idxBytes([4]),
    't10k-images-idx3-ubyte.gz': idxBytes([2, 5, 6], { gzip: true }),
    't10k-labels-idx1-ubyte.gz': idxBytes([2], { gzip: true }),
    ...change,
  }
  for (const [name, bytes] of Object.entries(files)) if (bytes) writeFileSync(join(dir, name), bytes)
  return dir
}

describe('a folder of IDX files', () => {
  test('gives images with one channel and the classes of the training labels', async () => {
    const { train, test: held } = await fromFolder(idxSet())
    expect(train.x.shape).toEqual([4, 5, 6, 1])
    expect([...train.y.data]).toEqual([0, 1, 2, 3])
    expect(train.classNames).toEqual(['0', '1', '2', '3'])
    expect(held.x.shape).toEqual([2, 5, 6, 1])
    expect([...held.x.data]).toEqual(Array.from({ length: 60 }, (_, i) => i))
    expect(held.classNames).toEqual(train.classNames)
  })

  test('takes the names with a dot too', async () => {
    const dir = idxSet()
    renameSync(join(dir, 'train-images-idx3-ubyte'), join(dir, 'train-images.idx3-ubyte'))
    expect((await fromFolder(dir)).train.length).toBe(4)
  })

  test.each<[string, Readonly<Record<string, Buffer | undefined>>, string, RegExp]>([
    ['a missing file', { 't10k-labels-idx1-ubyte.gz': undefined }, 'FILE_ERROR', /t10k-labels-idx1-ubyte\[.gz\] is missing/],
    [
      'fewer labels than images',
      { 'train-labels-idx1-ubyte': idxBytes([3]) },
      'INVALID_FILE',
      /train-images has 4 images, train-labels has 3/,
    ],
    ['labels in the place of images', { 'train-images-idx3-ubyte': idxBytes([4]) }, 'INVALID_FILE', /train-images has 1 axes, expected 3/],
    [
      'images in the place of labels',
      { 'train-labels-idx1-ubyte': idxBytes([4, 1]) },
      'INVALID_FILE',
      /train-labels has 2 axes, expected 1/,
    ],
    [
      'test images of another size',
      { 't10k-images-idx3-ubyte.gz': idxBytes([2, 6, 5]) },
      'INVALID_FILE',
      /5 x 6 x 1, test images 6 x 5 x 1/,
    ],
    [
      'a test label that no training image has',
      { 't10k-labels-idx1-ubyte.gz': idxBytes([2], { data: Uint8Array.of(0, 4) }) },
      'INVALID_FILE',
      /t10k-labels: label 4 of sample 1 is out of range, expected 0 to 3/,
    ],
    ['CIFAR-10 beside it', { 'data_batch_1.bin': Buffer.alloc(3073) }, 'INVALID_ARGUMENT', /holds both/],
  ])('refuses %s', async (_, change, code, message) => {
    await expect(fromFolder(idxSet(change))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })
})

test('a folder of CIFAR-10 batches', async () => {
  const dir = temporaryFolder()
  writeFileSync(join(dir, 'data_batch_1.bin'), Buffer.alloc(2 * 3073))
  writeFileSync(join(dir, 'test_batch.bin'), Buffer.alloc(3073))
  const { train, test: held } = await fromFolder(dir)
  expect(train.x.shape).toEqual([2, 32, 32, 3])
  expect(held.length).toBe(1)
})

test('a folder without a data set, no folder, and something in the place of a file', async () => {
  const dir = temporaryFolder()
  await expect(fromFolder(3 as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  await expect(fromFolder(dir, { sgnal: 3 } as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  await expect(fromFolder(dir)).rejects.toMatchObject({ code: 'FILE_ERROR', message: expect.stringContaining('holds no data set') })
  await expect(fromFolder(join(dir, 'none'))).rejects.toMatchObject({
    code: 'FILE_ERROR',
    message: expect.stringContaining('no such file'),
  })
  mkdirSync(join(dir, 'train-images-idx3-ubyte'))
  await expect(fromFolder(dir)).rejects.toMatchObject({ code: 'FILE_ERROR', message: expect.stringContaining('it is a directory') })
})

test('a signal stops the reading', async () => {
  await expect(fromFolder(idxSet(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
})
