import { describe, expect, test } from 'vitest'
import { gradients } from '../../lib/graph/gradients'
import { inputValue } from '../../lib/graph/sources'
import type { Value } from '../../lib/graph/value'
import * as ops from '../../lib/ops'
import { compileProgram } from '../../lib/program/compile'
import { stateLayout } from '../../lib/program/state-layout'
import { nativeRuntime } from '../../lib/runtime/native'
import { type Tensor, tensor } from '../../lib/tensor'
import { runSpec } from '../program/runSpec'
import { Random } from '../support/random'

const random = new Random(11)
const between = (low: number, high: number, ...shape: number[]): Tensor => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.between(low, high)),
})
const reals = (...shape: number[]) => between(-1, 1, ...shape)
const positive = (...shape: number[]) => between(0.5, 2, ...shape)

type Two = (a: Value, b: Value) => Value

describe('gradients of broadcasting are central differences', () => {
  const two: Record<string, [fn: Two, make: (...shape: number[]) => Tensor]> = {
    add: [(a, b) => ops.add(a, b, { activation: 'tanh' }), reals],
    sub: [ops.sub, reals],
    mul: [ops.mul, reals],
    div: [ops.div, positive],
    pow: [ops.pow, positive],
    minimum: [ops.minimum, reals],
    maximum: [ops.maximum, reals],
    where: [(a, b) => ops.where(ops.less(a, 0.9), a, b), positive],
  }
  const shapes: [number[], number[]][] = [
    [
      [2, 3],
      [2, 3],
    ],
    [[2, 3], [3]],
    [[2, 1], [3]],
    [[], [2, 2]],
    [
      [1, 3, 1],
      [2, 1, 2],
    ],
  ]
  for (const [name, [fn, make]] of Object.entries(two))
    for (const [a, b] of shapes)
      test(`${name} of [${a}] and [${b}], and the other way round`, () => {
        ops.checkGradients(fn, [make(...a), make(...b)])
        ops.checkGradients(fn, [make(...b), make(...a)])
      })

  test('numbers', () => {
    ops.checkGradients((x) => ops.sub(1, ops.div(2, ops.add(ops.mul(x, 3), 4))), [positive(2, 3)])
    ops.checkGradients((x) => ops.pow(ops.pow(2, x), 1.5), [reals(5)])
    ops.checkGradients((x) => ops.maximum(ops.minimum(x, 0.3), -0.3), [reals(7)])
  })
})

describe('gradients of functions of one tensor are central differences', () => {
  const one: Record<string, [fn: (x: Value) => Value, x: Tensor]> = {
    neg: [(x) => ops.neg(x), reals(4)],
    exp: [(x) => ops.exp(x), reals(4)],
    log: [(x) => ops.log(x), positive(4)],
    sqrt: [(x) => ops.sqrt(x), positive(4)],
    abs: [(x) => ops.abs(x), reals(6)],
    clip: [(x) => ops.clip(x, -0.5, 0.25), reals(9)],
    'clip below': [(x) => ops.clip(x, -0.5, undefined), reals(9)],
    'clip above': [(x) => ops.clip(x, undefined, 0.5), reals(9)],
    'sum of all': [(x) => ops.sum(ops.mul(x, x)), reals(2, 3, 2)],
    'sum over axes with a gap': [(x) => ops.sum(x, { axes: [0, -1] }), reals(2, 3, 2)],
    'sum of none': [(x) => ops.sum(x), reals()],
    'mean over the middle': [(x) => ops.mean(x, { axes: 1, keepDims: true }), reals(2, 3, 2)],
    'mean over axes with a gap': [(x) => ops.mean(x, { axes: [2, 0] }), reals(2, 3, 2)],
    'max of all': [(x) => ops.max(x), reals(2, 5)],
    'max over the first': [(x) => ops.max(x, { axes: 0 }), reals(3, 4)],
    'max over axes with a gap': [(x) => ops.max(x, { axes: [0, 2] }), reals(3, 2, 4)],
    'min, kept': [(x) => ops.min(x, { axes: -1, keepDims: true }), reals(3, 4)],
    'min over axes with a gap, kept': [(x) => ops.min(x, { axes: [1, 3], keepDims: true }), reals(2, 3, 2, 2)],
    broadcastTo: [(x) => ops.broadcastTo(x, [2, 3, 4]), reals(3, 1)],
    transpose: [(x) => ops.transpose(x, [2, 0, 1]), reals(2, 3, 4)],
    'a standard score': [
      (x) => {
        const centred = ops.sub(x, ops.mean(x, { axes: 0 }))
        return ops.div(centred, ops.sqrt(ops.add(ops.mean(ops.mul(centred, centred), { axes: 0 }), 1e-3)))
      },
      reals(5, 3),
    ],
  }
  const moving: typeof one = {
    'slice from the end': [(x) => ops.slice(x, [-2, 0, -3], [1, null, 2]), reals(3, 2, 4)],
    'slice of a box': [(x) => ops.slice(x, [1, 0, 2], [2, null, 1]), reals(3, 2, 4)],
    'concat along an axis': [(x) => ops.concat([x, ops.mul(x, x)], { axis: 0 }), reals(2, 3)],
    'concat along the middle': [(x) => ops.concat([ops.exp(x), x], { axis: -2 }), reals(2, 3, 2)],
    split: [
      (x) => {
        const [a, b, c] = ops.split(x, [1, 2, 1], { axis: 1 })
        return ops.mul(ops.mul(a!, b!), c!)
      },
      reals(2, 4, 3),
    ],
    'split in halves': [(x) => ops.sub(...(ops.split(x, 2) as [Value, Value])), reals(3, 6)],
    'pad with a constant': [
      (x) =>
        ops.pad(
          x,
          [
            [1, 0],
            [0, 2],
          ],
          { value: 3 },
        ),
      reals(2, 3),
    ],
    'pad with the edge': [
      (x) =>
        ops.pad(
          x,
          [
            [1, 0],
            [3, 2],
          ],
          { mode: 'edge' },
        ),
      reals(2, 3),
    ],
    'pad by reflection': [
      (x) =>
        ops.pad(
          x,
          [
            [1, 1],
            [2, 1],
          ],
          { mode: 'reflect' },
        ),
      reals(2, 3),
    ],
    cast: [(x) => ops.mul(x, ops.cast(ops.cast(ops.add(x, 5), 'int32'), 'float32')), between(0.1, 0.9, 4)],
  }
  Object.assign(one, moving)
  for (const [name, [fn, x]] of Object.entries(one)) test(name, () => void ops.checkGradients(fn, [x]))
})

describe('gradients of products of stacks and of indexing', () => {
  const stacks: [number[], number[]][] = [
    [[2], [2]],
    [[2], []],
    [[], [3]],
    [[2, 1], [3]],
  ]
  for (const [a, b] of stacks)
    test(`matmul of stacks [${a}] and [${b}]`, () => {
      for (const transposeA of [false, true])
        for (const transposeB of [false, true]) {
          const inputs = [reals(...a, ...(transposeA ? [4, 2] : [2, 4])), reals(...b, ...(transposeB ? [3, 4] : [4, 3]))]
          ops.checkGradients((x, y) => ops.matmul(x!, y!, { transposeA, transposeB }), inputs)
        }
    })

  test('gather', () => {
    const indices = { shape: [2, 2] as never, data: Int32Array.of(2, 0, 2, 1) }
    ops.checkGradients((x, i) => ops.gather(x!, i!), [reals(3, 2), indices])
    ops.checkGradients((x, i) => ops.gather(ops.mul(x!, x!), i!, { axis: -1 }), [reals(2, 3), indices])
    ops.checkGradients((x, i) => ops.sum(ops.mul(x!, ops.oneHot(i!, 3)), { axes: -1 }), [reals(2, 2, 3), indices])
  })
})

/** The gradient of the sum of f at x. */
function slope(f: (x: Value) => Value, x: readonly number[]): number[] {
  const value = inputValue('x', [x.length])
  const [dx] = gradients([{ of: ops.sum(f(value)) }], [value])
  const { spec } = compileProgram({ inputs: [value], outputs: [dx!], layout: stateLayout([]), capacity: 1, lane: 'infer' })
  return runSpec(spec, new Float64Array(), [Float64Array.from(x)])[0]!
}

describe('gradients where there is a choice', () => {
  test('equal operands of minimum and maximum share it', () => {
    expect(slope((x) => ops.maximum(x, 2), [1, 2, 3])).toEqual([0, 0.5, 1])
    expect(slope((x) => ops.minimum(x, 2), [1, 2, 3])).toEqual([1, 0.5, 0])
  })

  test('equal elements of max and min share it', () => {
    expect(slope((x) => ops.max(x), [1, 4, 4, 2])).toEqual([0, 0.5, 0.5, 0])
    expect(slope((x) => ops.min(ops.reshape(x, [2, 2, 1]), { axes: [0, 2] }), [3, 1, 3, 5])).toEqual([0.5, 1, 0.5, 0])
    expect(slope((x) => ops.max(ops.reshape(x, [2, 1, 2]), { axes: [0, 2] }), [7, 7, 1, 7])).toEqual([1 / 3, 1 / 3, 0, 1 / 3])
  })

  test('abs at 0, clip at its bounds, pow at 0, comparisons', () => {
    expect(slope((x) => ops.abs(x), [-2, 0, 2])).toEqual([-1, 0, 1])
    expect(slope((x) => ops.clip(x, -1, 1), [-2, -1, 0, 1, 2])).toEqual([0, 1, 1, 1, 0])
    expect(slope((x) => ops.pow(x, 0), [0, 3])).toEqual([0, 0])
    expect(slope((x) => ops.pow(x, 2), [0, 3, -1])).toEqual([0, 6, -2])
    expect(slope((x) => ops.pow(0, x), [2])).toEqual([0])
    expect(slope((x) => ops.mul(x, ops.greaterEqual(x, 1)), [0, 1, 2])).toEqual([0, 1, 1])
  })

  test('what where leaves out has none, not NaN times 0', () => {
    expect(slope((x) => ops.where(ops.greater(x, 0), x, 0), [-1, 2])).toEqual([0, 1])
  })
})

describe('batches', () => {
  const [x, w, column] = [inputValue('x', [null, 2, 3]), inputValue('w', [3]), inputValue('column', [2, 1])]
  const shape = (value: Value) => value.shape

  test('the batch size goes along, and goes when it is reduced', () => {
    expect(shape(ops.mul(w, x))).toEqual([null, 2, 3])
    expect(shape(ops.add(x, inputValue('one', [1, 2, 1])))).toEqual([null, 2, 3])
    expect(shape(ops.mean(x, { axes: 0 }))).toEqual([2, 3])
    expect(shape(ops.mean(x, { axes: 0, keepDims: true }))).toEqual([1, 2, 3])
    expect(shape(ops.max(x, { axes: [1] }))).toEqual([null, 3])
    expect(shape(ops.sum(x))).toEqual([])
    expect(shape(ops.max(x, { axes: [0, 2] }))).toEqual([2])
    expect(shape(ops.transpose(x, [0, 2, 1]))).toEqual([null, 3, 2])
    expect(() => ops.add(x, inputValue('two', [2, 2, 3]))).toThrow('add: a and b must have one shape or be broadcast to one')
    expect(() => ops.add(inputValue('n', [null]), inputValue('y', [1, 3, 4, 1]))).toThrow('received [N] and [1, 3, 4, 1]')
    expect(() => ops.transpose(x)).toThrow('transpose: the batch size must stay first, received [N, 2, 3] and [2, 1, 0]')
  })

  /** A loss with every kind of reduction and broadcasting over the batch, and its gradients. */
  function standardised() {
    const average = ops.mean(x, { axes: 0 })
    const centred = ops.sub(x, average)
    const variance = ops.mean(ops.mul(centred, centred), { axes: [0, 1], keepDims: true })
    const scores = ops.add(ops.mul(ops.div(centred, ops.sqrt(ops.add(variance, 0.01))), w), column)
    const most = ops.max(scores, { axes: [0, 2] })
    const rows = ops.sum(ops.exp(ops.clip(scores, -1, 1)), { axes: [1, 2] })
    const spread = ops.sub(rows, ops.min(rows, { axes: 0, keepDims: true }))
    const loss = ops.add(ops.mean(ops.pow(ops.abs(spread), 1.5)), ops.sum(most))
    return { loss, average, most, rows, found: gradients([{ of: loss }], [x, w, column]) as Value[] }
  }

  test.each([1, 2, 3, 7])('a run of %i rows with room for 7 is that of a program for so many', async (n) => {
    const { loss, average, most, rows, found } = standardised()
    const outputs = [loss, average, most, rows, ...found]
    const inputs = [x, w, column]
    const data = [reals(n, 2, 3), reals(3), reals(2, 1)].map((one) => one.data)
    const compiled = (capacity: number) => compileProgram({ inputs, outputs, layout: stateLayout([]), capacity, lane: 'infer' }).spec
    const expected = runSpec(
      compiled(7),
      new Float64Array(),
      data.map((values) => Float64Array.from(values)),
      n,
    )
    const results = await Promise.all(
      [n, 7].map(async (capacity) => {
        const program = nativeRuntime().createProgram(compiled(capacity))
        const result = await program.run({ n, inputs: data.map((values) => ({ data: values })) })
        program.dispose()
        return result
      }),
    )
    expect(results[1]).toEqual(results[0])
    for (const [index, values] of expected.entries()) {
      expect(results[0]![index]!.length).toBe(values.length)
      for (const [i, value] of values.entries()) expect(results[0]![index]![i]).toBeCloseTo(value, 3)
    }
  })

  test('the gradient over a batch is that of the same rows without one', () => {
    const n = 4
    const data = [reals(n, 2, 3), reals(3), reals(2, 1)]
    const { found } = standardised()
    const { spec } = compileProgram({ inputs: [x, w, column], outputs: found, layout: stateLayout([]), capacity: 9, lane: 'infer' })
    const batched = runSpec(
      spec,
      new Float64Array(),
      data.map((one) => Float64Array.from(one.data)),
      n,
    )
    const weigh = (a: Value, b: Value, c: Value) => {
      const centred = ops.sub(a, ops.mean(a, { axes: 0 }))
      const variance = ops.mean(ops.mul(centred, centred), { axes: [0, 1], keepDims: true })
      const scores = ops.add(ops.mul(ops.div(centred, ops.sqrt(ops.add(variance, 0.01))), b), c)
      const rows = ops.sum(ops.exp(ops.clip(scores, -1, 1)), { axes: [1, 2] })
      const spread = ops.sub(rows, ops.min(rows, { axes: 0, keepDims: true }))
      return ops.add(ops.mean(ops.pow(ops.abs(spread), 1.5)), ops.sum(ops.max(scores, { axes: [0, 2] })))
    }
    const values = data.map((one, index) => inputValue(`${index}`, one.shape))
    const plain = gradients([{ of: weigh(values[0]!, values[1]!, values[2]!) }], values) as Value[]
    const { spec: fixed } = compileProgram({ inputs: values, outputs: plain, layout: stateLayout([]), capacity: 1, lane: 'infer' })
    const expected = runSpec(
      fixed,
      new Float64Array(),
      data.map((one) => Float64Array.from(one.data)),
    )
    for (const [index, list] of expected.entries())
      for (const [i, value] of list.entries()) expect(batched[index]![i]).toBeCloseTo(value, 10)
  })
})

describe('batches in what moves elements', () => {
  const [tokens, table, weights] = [inputValue('tokens', [null, 3], 'int32'), inputValue('table', [5, 4]), inputValue('weights', [4, 4])]

  test('shapes', () => {
    const x = inputValue('x', [null, 2, 3])
    expect(ops.gather(table, tokens).shape).toEqual([null, 3, 4])
    expect(ops.gather(x, inputValue('i', [4], 'int32'), { axis: 2 }).shape).toEqual([null, 2, 4])
    expect(ops.oneHot(tokens, 7).shape).toEqual([null, 3, 7])
    expect(ops.matmul(x, inputValue('w', [3, 5])).shape).toEqual([null, 2, 5])
    expect(
      ops.pad(x, [
        [0, 0],
        [1, 1],
        [0, 2],
      ]).shape,
    ).toEqual([null, 4, 5])
    expect(ops.slice(x, [0, -1, -2], [null, 1, null]).shape).toEqual([null, 1, 2])
    expect(ops.slice(tensor([1, 2, 3, 4], [4]), -3, 2).data).toEqual(Float32Array.of(2, 3))
    expect(ops.slice(x, [0, 1, 0], [null, 1, null]).shape).toEqual([null, 1, 3])
    expect(ops.split(x, 3).map(({ shape }) => shape)).toEqual(Array(3).fill([null, 2, 1]))
    expect(() => ops.slice(x, [1, 0, 0], [1, 1, 1])).toThrow('slice: axis 0 of [N, 2, 3]: the batch must stay whole')
    expect(() =>
      ops.pad(x, [
        [1, 0],
        [0, 0],
        [0, 0],
      ]),
    ).toThrow('pad: the batch cannot be padded')
    expect(() => ops.concat([x, x], { axis: 0 })).toThrow("concat: sizes must be alike but for axis 0, which isn't the batch")
    expect(() => ops.gather(x, inputValue('i', [4], 'int32'))).toThrow('gather: the batch must stay first and one')
    expect(() => ops.matmul(x, inputValue('w', [2, 3, 5]))).toThrow('matmul: the stacks of a and b must have one shape')
  })

  test.each([1, 3, 6])('a run of %i rows with room for 6 is that of a program for so many', async (n) => {
    const embedded = ops.gather(table, tokens)
    const scores = ops.matmul(ops.matmul(embedded, weights), embedded, { transposeB: true })
    const padded = ops.pad(
      scores,
      [
        [0, 0],
        [1, 2],
        [2, 1],
      ],
      { mode: 'reflect' },
    )
    const boxes = ops.slice(ops.concat([padded, ops.exp(padded)], { axis: 1 }), [0, 2, 1], [null, 6, 4])
    const chosen = ops.mul(ops.sum(boxes, { axes: 1 }), ops.sum(ops.oneHot(tokens, 4), { axes: 1 }))
    const loss = ops.add(ops.mean(chosen), ops.sum(ops.max(embedded, { axes: 0 })))
    const outputs = [loss, chosen, padded, ...(gradients([{ of: loss }], [table, weights]) as Value[])]
    const inputs = [tokens, table, weights]
    const numbers = Int32Array.from({ length: n * 3 }, () => random.whole(0, 4))
    const data = [reals(5, 4).data, reals(4, 4).data]
    const compiled = (capacity: number) => compileProgram({ inputs, outputs, layout: stateLayout([]), capacity, lane: 'infer' }).spec
    const expected = runSpec(compiled(6), new Float64Array(), [Float64Array.from(numbers), ...data.map((one) => Float64Array.from(one))], n)
    const results = await Promise.all(
      [n, 6].map(async (capacity) => {
        const program = nativeRuntime().createProgram(compiled(capacity))
        const result = await program.run({ n, inputs: [{ data: numbers }, ...data.map((values) => ({ data: values }))] })
        program.dispose()
        return result
      }),
    )
    expect(results[1]).toEqual(results[0])
    for (const [index, values] of expected.entries())
      for (const [i, value] of values.entries()) expect(results[0]![index]![i]).toBeCloseTo(value, 3)
  })
})

test('numbers and names: mul is multiply; an eager call takes numbers', () => {
  expect(ops.mul).toBe(ops.multiply)
  const x = tensor([1, 2, 3], [3])
  expect(ops.sub(1, x)).toEqual(tensor([0, -1, -2], [3]))
  expect(ops.pow(x, 2)).toEqual(tensor([1, 4, 9], [3]))
  expect(ops.where(ops.greater(x, 1), x, 0)).toEqual(tensor([0, 2, 3], [3]))
})
