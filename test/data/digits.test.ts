import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { digits } from '../../lib/data/digits'

test('is the published set: its values in the published text form have the published SHA-256', async () => {
  const { train, test: held } = await digits()
  const lines: string[] = []
  for (const part of [train, held]) {
    for (let n = 0; n < part.length; n++) {
      lines.push(`${[...part.x.data.subarray(64 * n, 64 * (n + 1)), part.y.data[n]].join(',')}\n`)
    }
  }
  expect(createHash('sha256').update(lines.join('')).digest('hex')).toBe('6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8')
})

test('has 1,437 images to train and 360 to test, of ten classes', async () => {
  const { train, test: held } = await digits()
  expect(train.x.shape).toEqual([1437, 8, 8, 1])
  expect(held.x.shape).toEqual([360, 8, 8, 1])
  expect(train.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  const counts = new Array(10).fill(0)
  for (const label of [...train.y.data, ...held.y.data]) counts[label]++
  expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
})

test('is normalised so that its values 0 to 16 become 0 to 1', async () => {
  const { train } = await digits()
  expect(Math.max(...train.x.data.subarray(0, 6400)) * (train.normalize!.scale as number)).toBe(1)
  expect(train.normalize!.offset).toBe(0)
})
