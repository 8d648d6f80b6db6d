import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { checkLabels, checkTensor, tensor } from '../lib/tensor'

const refused = (value: unknown, code: string, message: RegExp) =>
  expect(() => checkTensor(value, 'relu', 'input')).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }))

test('a tensor keeps its array, and takes ordinary numbers', () => {
  const data = Float32Array.of(1, 2, 3, 4)
  expect(tensor(data, [2, 2]).data).toBe(data)
  expect(tensor([1, 2], [2]).data).toEqual(Float32Array.of(1, 2))
  expect(tensor([7], [])).toEqual({ shape: [], data: Float32Array.of(7) })
})

test('what is no tensor', () => {
  refused(undefined, 'INVALID_TENSOR', /^relu: input must be a tensor { shape, data }, received undefined$/)
  refused([1, 2], 'INVALID_TENSOR', /received \[1, 2\]$/)
  refused({ shape: [2], data: [1, 2] }, 'INVALID_TENSOR', /must be a Float32Array, received \[1, 2\]$/)
  expect(() => tensor([1], undefined as never)).toThrow(expect.objectContaining({ code: 'INVALID_TENSOR' }))
  refused({ shape: 2, data: new Float32Array(2) }, 'INVALID_TENSOR', /must be a tensor/)
  refused({ shape: [2], data: new DataView(new ArrayBuffer(8)) }, 'INVALID_DTYPE', /received DataView/)
})

test('another element type', () => {
  refused(
    { shape: [2], data: new Float64Array(2) },
    'INVALID_DTYPE',
    /^relu: the data of input must be a Float32Array, received Float64Array$/,
  )
  expect(() => checkLabels({ shape: [2], data: new Float32Array(2) }, 'loss', 'labels')).toThrow(/must be a Int32Array or Uint8Array/)
  expect(() => checkLabels({ shape: [2, 1], data: new Int32Array(2) }, 'loss', 'labels')).toThrow(
    /must have shape \[N\], received \[2, 1\]/,
  )
})

test('a length that differs from the shape', () => {
  refused(
    { shape: [2, 3], data: new Float32Array(5) },
    'INVALID_TENSOR',
    /^relu: input has shape \[2, 3\], 6 elements, but its data has 5$/,
  )
  refused({ shape: [0], data: new Float32Array(0) }, 'INVALID_SHAPE', /sizes must be positive integers, received \[0\]/)
})

test('memory that may change or is gone', () => {
  const resizable: ArrayBuffer = Reflect.construct(ArrayBuffer, [8, { maxByteLength: 16 }])
  refused({ shape: [2], data: new Float32Array(new SharedArrayBuffer(8)) }, 'INVALID_TENSOR', /lies in a SharedArrayBuffer/)
  refused({ shape: [2], data: new Float32Array(resizable) }, 'INVALID_TENSOR', /lies in a resizable ArrayBuffer/)
  const data = new Float32Array(2)
  structuredClone(data, { transfer: [data.buffer] })
  refused({ shape: [2], data }, 'INVALID_TENSOR', /is empty or detached/)
})

test('arrays of another realm are as good', () => {
  const data = runInNewContext('Float32Array.of(1, 2)')
  expect(() => checkTensor({ shape: [2], data }, 'relu', 'input')).not.toThrow()
})
