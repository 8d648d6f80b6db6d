import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CIFAR10_CLASSES, cifar10, parseCifar10 } from '../../lib/data/cifar'
import { temporaryFolder } from '../support/folder'

/** Records whose red, green and blue bytes tell plane, row and column. */
function records(...labels: number[]): Buffer {
  const planes = Buffer.from(Array.from({ length: 3072 }, (_, i) => value(Math.floor(i / 1024), Math.floor(i / 32) % 32, i % 32)))
  return Buffer.concat(labels.flatMap((label) => [Buffer.of(label), planes]))
}
const value = (channel: number, row: number, column: number) => (channel * 83 + row * 7 + column * 3) % 256

describe('parseCifar10', () => {
  test('turns planes into pixels', () => {
    const { x, y, length } = parseCifar10([{ name: 'f', bytes: records(3, 9) }])
    expect(length).toBe(2)
    expect(x.shape).toEqual([2, 32, 32, 3])
    expect([...y.data]).toEqual([3, 9])
    for (const [n, row, column] of [
      [0, 0, 0],
      [0, 31, 31],
      [1, 0, 1],
      [1, 17, 4],
    ] as const) {
      const at = ((n * 32 + row) * 32 + column) * 3
      expect([...x.data.subarray(at, at + 3)]).toEqual([0, 1, 2].map((channel) => value(channel, row, column)))
    }
  })

  test('joins files in order', () => {
    const data = parseCifar10([
      { name: 'f', bytes: records(1, 2) },
      { name: 'g', bytes: records(0) },
    ])
    expect([...data.y.data]).toEqual([1, 2, 0])
    expect(data.x.data.length).toBe(3 * 3072)
    expect(data.x.data.subarray(3072, 6144)).toEqual(data.x.data.subarray(6144))
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /f: 0 bytes are no whole number/],
    ['a file cut short', records(1, 2).subarray(0, -1), /6145 bytes/],
    ['a byte too many', Buffer.concat([records(1), Buffer.of(0)]), /3074 bytes/],
    ['a label above 9', records(1, 10), /f: label 10 of sample 1 is out of range, expected 0 to 9/],
  ])('refuses %s', (_, bytes, message) => {
    const refusal = expect.objectContaining({ code: 'INVALID_FILE', message: expect.stringMatching(message) })
    expect(() => parseCifar10([{ name: 'f', bytes }])).toThrow(refusal)
  })
})

describe('cifar10', () => {
  test('reads the batches that are there', async () => {
    const dir = temporaryFolder()
    writeFileSync(join(dir, 'data_batch_2.bin'), records(7))
    writeFileSync(join(dir, 'data_batch_1.bin'), records(5, 6))
    writeFileSync(join(dir, 'data_batch_10.bin'), 'not one of them')
    writeFileSync(join(dir, 'test_batch.bin'), records(8))
    const { train, test: held } = await cifar10({ dir })
    expect([...train.y.data]).toEqual([5, 6, 7])
    expect([...held.y.data]).toEqual([8])
    expect(train.classNames).toBe(CIFAR10_CLASSES)
  })

  test('says what is missing', async () => {
    const dir = temporaryFolder()
    await expect(cifar10(undefined as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(cifar10({} as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(cifar10({ dir })).rejects.toMatchObject({ code: 'FILE_ERROR', message: expect.stringContaining('no data_batch_1.bin') })
    writeFileSync(join(dir, 'data_batch_1.bin'), records(5))
    await expect(cifar10({ dir })).rejects.toMatchObject({
      code: 'FILE_ERROR',
      message: expect.stringContaining('test_batch.bin: no such file'),
    })
    await expect(cifar10({ dir: join(dir, 'none') })).rejects.toMatchObject({ code: 'FILE_ERROR' })
  })
})
