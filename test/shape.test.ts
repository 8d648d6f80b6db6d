import { describe, expect, test } from 'vitest'
import { ceilOutputSize, checkInteger, checkNumber, checkPair, elementCount, outputSize } from '../lib/shape'
import { checkWindowsMeetInput, windowGeometry } from '../lib/window'

describe('output sizes', () => {
  test('of the textbook', () => {
    expect(outputSize(4, 2, 1, [0, 0], 1)).toBe(3)
    expect(outputSize(5, 2, 1, [0, 0], 1)).toBe(4)
    expect(outputSize(28, 4, 1, [0, 0], 1)).toBe(25)
    expect(outputSize(4, 1, 3, [0, 0], 1)).toBe(2)
    expect(outputSize(7, 3, 2, [1, 1], 2)).toBe(3)
  })

  test('rounded up, without a window that begins past the input', () => {
    expect(ceilOutputSize(5, 2, 2, [0, 0], 1)).toBe(3)
    expect(ceilOutputSize(5, 1, 3, [0, 0], 1)).toBe(2)
    expect(ceilOutputSize(4, 3, 2, [1, 1], 1)).toBe(3)
    expect(ceilOutputSize(3, 2, 2, [1, 1], 1)).toBe(2)
    // The last window is not what rounding up adds: it stays, to be refused for lying in the padding.
    expect(ceilOutputSize(3, 1, 1, [0, 1], 1)).toBe(4)
  })

  test("'same' gives ⌈input / stride⌉, with the odd pixel after", () => {
    expect(windowGeometry('conv2d', [28, 5], [3, 2], { padding: 'same' })).toMatchObject({
      padding: [
        [1, 1],
        [0, 1],
      ],
      output: [28, 5],
    })
    for (let input = 1; input < 12; input++)
      for (let kernel = 1; kernel < 6; kernel++)
        for (let stride = 1; stride < 5; stride++)
          for (const dilation of [1, 2]) {
            const { output, padding } = windowGeometry('conv2d', [input, input], [kernel, kernel], { padding: 'same', stride, dilation })
            expect(output).toEqual([Math.ceil(input / stride), Math.ceil(input / stride)])
            expect(padding[0]![1] - padding[0]![0]).toBeLessThanOrEqual(1)
            expect(padding[0]![1]).toBeGreaterThanOrEqual(padding[0]![0])
          }
  })

  test('padding in all its forms', () => {
    const paddingOf = (padding: never) => windowGeometry('conv2d', [9, 9], [3, 3], { padding }).padding.flat()
    expect(paddingOf('valid' as never)).toEqual([0, 0, 0, 0])
    expect(paddingOf(2 as never)).toEqual([2, 2, 2, 2])
    expect(paddingOf([1, 2] as never)).toEqual([1, 1, 2, 2])
    expect(
      paddingOf([
        [1, 2],
        [3, 4],
      ] as never),
    ).toEqual([1, 2, 3, 4])
  })
})

describe('what is refused', () => {
  const refuses = (run: () => unknown, code: string, message: string) => expect(run).toThrow(expect.objectContaining({ code, message }))

  test('pairs', () => {
    refuses(() => checkPair(1.5, 'conv2d', 'stride'), 'INVALID_ARGUMENT', 'conv2d: stride must be a positive integer, received 1.5')
    refuses(() => checkPair([1, 0], 'conv2d', 'stride'), 'INVALID_ARGUMENT', 'conv2d: stride[1] must be a positive integer, received 0')
    refuses(
      () => checkPair([1], 'conv2d', 'stride'),
      'INVALID_ARGUMENT',
      'conv2d: stride must be a number or two numbers [height, width], received [1]',
    )
    refuses(() => checkPair('3', 'conv2d', 'stride'), 'INVALID_ARGUMENT', 'conv2d: stride must be a positive integer, received "3"')
    refuses(() => checkPair(Number.NaN, 'conv2d', 'stride'), 'INVALID_ARGUMENT', 'conv2d: stride must be a positive integer, received NaN')
    refuses(() => checkPair(null, 'conv2d', 'stride'), 'INVALID_ARGUMENT', 'conv2d: stride must be a positive integer, received null')
    refuses(
      () => checkPair(2 ** 31, 'conv2d', 'stride'),
      'INVALID_ARGUMENT',
      'conv2d: stride must be a positive integer, received 2147483648',
    )
  })

  test.each([
    ['full'],
    [-1],
    [[1, 2, 3]],
    [[1, [2, 3]]],
    [[[1, 2]]],
    [
      [
        [1, 2],
        [3, -4],
      ],
    ],
    [
      [
        [1, 2],
        [3, 4, 5],
      ],
    ],
    [{}],
    [Number.NaN],
  ] as [unknown][])('padding %j', (padding) => {
    expect(() => windowGeometry('conv2d', [9, 9], [3, 3], { padding: padding as never })).toThrow(/^conv2d: padding.* must be /)
  })

  test('a kernel larger than the padded input', () => {
    const message = 'conv2d "stem": kernel height 5 is larger than the height of the padded input, 2 + 2 = 4'
    refuses(() => windowGeometry('conv2d "stem"', [2, 9], [5, 5], { padding: 1 }), 'INVALID_SHAPE', message)
    const dilated = 'conv2d: kernel width 3 with dilation 4 spans 9 pixels and is larger than the width of the input, 8'
    refuses(() => windowGeometry('conv2d', [9, 8], [3, 3], { dilation: 4 }), 'INVALID_SHAPE', dilated)
  })

  test('a pooling window wholly in the padding', () => {
    const pool = (input: number, size: number, options: object) => {
      const geometry = windowGeometry('maxPool2d', [input, input], [size, size], options, size)
      checkWindowsMeetInput('maxPool2d', [input, input], [size, size], geometry)
    }
    expect(() => pool(4, 2, { padding: 1 })).not.toThrow()
    expect(() => pool(4, 2, { padding: 2, stride: 1 })).toThrow(/leaves a window wholly outside the input of 4 pixels/)
    expect(() => pool(1, 2, { padding: 1, dilation: 2, stride: 1 })).toThrow(/wholly outside/)
  })

  test('sizes', () => {
    for (const shape of [[0], [-1], [1.5], [Number.NaN], [Number.POSITIVE_INFINITY], ['3'], [2 ** 40, 2], [1, 1, 1, 1, 1, 1, 1]]) {
      expect(() => elementCount(shape as number[], 'x')).toThrow(expect.objectContaining({ code: 'INVALID_SHAPE' }))
    }
    expect(elementCount([2 ** 20, 2 ** 20], 'x')).toBe(2 ** 40)
    expect(elementCount([null, 3, 4], 'x', 5)).toBe(60)
    expect(elementCount([], 'x')).toBe(1)
  })

  test('numbers', () => {
    refuses(() => checkInteger(7, 'f', 'n', 0, 5), 'INVALID_ARGUMENT', 'f: n must be an integer from 0 to 5, received 7')
    refuses(
      () => checkNumber(1, 'dropout', 'rate', { low: 0, high: 1, below: true }),
      'INVALID_ARGUMENT',
      'dropout: rate must be a finite number of at least 0 and below 1, received 1',
    )
    refuses(() => checkNumber(Number.NaN, 'f', 'x'), 'INVALID_ARGUMENT', 'f: x must be a finite number, received NaN')
  })
})
