import { describe, expect, test } from 'vitest'
import { dataset, sliceDataset } from '../../lib/data/dataset'

const bytes = (n: number) => Uint8Array.from({ length: n }, (_, i) => i)
const images = { shape: [3, 2, 2, 1], data: bytes(12) }
const labels = { shape: [3] as const, data: bytes(3) }

describe('dataset', () => {
  test('keeps the arrays and counts the samples', () => {
    const data = dataset({ x: images, y: labels, classNames: ['a', 'b', 'c'] })
    expect(data.length).toBe(3)
    expect(data.x.data).toBe(images.data)
    expect(data.classNames).toEqual(['a', 'b', 'c'])
  })

  test('takes targets of any shape', () => {
    const y = { shape: [3, 2], data: new Float32Array(6) }
    expect(dataset({ x: images, y }).y).toBe(y)
  })

  const shared = new Uint8Array(new SharedArrayBuffer(12))
  const detached = bytes(12)
  structuredClone(detached.buffer, { transfer: [detached.buffer as ArrayBuffer] })
  const Resizable = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => ArrayBuffer
  const resizable = new Uint8Array(new Resizable(12, { maxByteLength: 24 }))

  test.each<[string, object, string, RegExp]>([
    ['as many labels', { y: { shape: [2], data: bytes(2) } }, 'INVALID_SHAPE', /x has 3 samples, y has 2/],
    ['labels in one axis', { y: { shape: [3, 1], data: bytes(3) } }, 'INVALID_SHAPE', /shape \[N\], received \[3, 1\]/],
    ['labels that have a name', { classNames: ['a', 'b'] }, 'INVALID_LABEL', /label 2 of sample 2 is out of range, expected 0 to 1/],
    ['labels from 0 on', { y: { shape: [3], data: Int32Array.of(0, -1, 0) } }, 'INVALID_LABEL', /label -1 of sample 1/],
    ['data as long as its shape', { x: { shape: [3, 5], data: bytes(12) } }, 'INVALID_TENSOR', /x has shape \[3, 5\], 15 elements, but/],
    ['whole sizes', { x: { shape: [3, 0.5], data: bytes(12) } }, 'INVALID_SHAPE', /positive integers, received \[3, 0.5\]/],
    ['an axis of samples', { x: { shape: [], data: bytes(1) } }, 'INVALID_SHAPE', /x must have an axis/],
    ['a shape', { x: { data: bytes(12) } }, 'INVALID_TENSOR', /x must be a tensor/],
    ['x at all', { x: undefined }, 'INVALID_TENSOR', /x must be a tensor { shape, data }, received undefined/],
    [
      'x in floats of 32 bits',
      { x: { shape: [3, 4], data: new Float64Array(12) } },
      'INVALID_DTYPE',
      /must be a Float32Array or Uint8Array/,
    ],
    ['memory that nobody shares', { x: { shape: [3, 4], data: shared } }, 'INVALID_TENSOR', /SharedArrayBuffer/],
    ['memory that keeps its size', { x: { shape: [3, 4], data: resizable } }, 'INVALID_TENSOR', /resizable/],
    ['memory that is there', { x: { shape: [3, 4], data: detached } }, 'INVALID_TENSOR', /detached/],
    ['weights in an array', { sampleWeight: 3 }, 'INVALID_SHAPE', /x has 3 samples, sampleWeight has undefined/],
    ['a finite scale', { normalize: { scale: Number.NaN, offset: 0 } }, 'INVALID_ARGUMENT', /normalize.scale/],
    [
      'an offset per channel',
      { normalize: { scale: 1, offset: [1, 2] } },
      'INVALID_ARGUMENT',
      /normalize.offset must be a finite number or 1 of/,
    ],
  ])('wants %s', (_, change, code, message) => {
    const parts = { x: images, y: labels, ...change } as Parameters<typeof dataset>[0]
    expect(() => dataset(parts)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }))
  })

  test('wants parts', () => {
    expect(() => dataset(undefined as never)).toThrow('dataset: parts must be an object { x, y }, received undefined')
  })
})

describe('sliceDataset', () => {
  const data = dataset({ x: images, y: labels, classNames: ['a', 'b', 'c'] })

  test('shows a range of the samples without copying them', () => {
    const part = sliceDataset(data, 1, 3)
    expect(part.length).toBe(2)
    expect(part.x.shape).toEqual([2, 2, 2, 1])
    expect([...part.x.data]).toEqual([4, 5, 6, 7, 8, 9, 10, 11])
    expect([...part.y.data]).toEqual([1, 2])
    expect(part.x.data.buffer).toBe(images.data.buffer)
    expect(part.classNames).toBe(data.classNames)
  })

  test.each([
    [-1, 2],
    [2, 2],
    [0, 4],
    [0.5, 2],
    [Number.NaN, 2],
  ])('refuses %d to %d', (start, end) => {
    expect(() => sliceDataset(data, start, end)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
