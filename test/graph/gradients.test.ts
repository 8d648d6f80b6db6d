import { describe, expect, test } from 'vitest'
import { apply, nodeOf } from '../../lib/graph/apply'
import { forwardOrder, gradients } from '../../lib/graph/gradients'
import { inputValue, parameterValue } from '../../lib/graph/sources'
import type { Value } from '../../lib/graph/value'
import { add } from '../../lib/ops/add'
import { sub } from '../../lib/ops/arithmetic'
import { conv2d } from '../../lib/ops/conv2d'
import { dense } from '../../lib/ops/dense'
import { maxPool2d } from '../../lib/ops/maxPool2d'
import { meanSquaredError } from '../../lib/ops/meanSquaredError'
import { multiply } from '../../lib/ops/multiply'
import { relu } from '../../lib/ops/relu'
import { flatten } from '../../lib/ops/reshape'
import { scale } from '../../lib/ops/scale'
import { softmaxCrossEntropy } from '../../lib/ops/softmaxCrossEntropy'
import { stopGradient } from '../../lib/ops/stopGradient'
import { sign } from '../../lib/ops/unary'

const opsOf = (...values: (Value | undefined)[]) => forwardOrder(values.filter((value) => value !== undefined)).map((node) => node.op.name)

test('a value used three times gets the sum', () => {
  const x = inputValue('x', [4])
  const [dx] = gradients([{ of: add(multiply(x, x), x), gradient: inputValue('dy', [4]) }], [x])
  expect(opsOf(dx).filter((name) => name === 'add')).toHaveLength(2)
})

test('only what is wanted is built', () => {
  const x = inputValue('x', [null, 8, 8, 1])
  const w = parameterValue('w', [3, 3, 1, 4])
  const bias = parameterValue('bias', [4])
  const head = parameterValue('head', [144, 10])
  const logits = dense(flatten(relu(conv2d(x, w, { bias }))), head)
  const { loss } = softmaxCrossEntropy(logits, inputValue('labels', [null], 'int32'))

  expect(opsOf(...gradients([{ of: loss }], [w, bias, head]))).not.toContain('conv2dBackwardInput')
  const onlyHead = opsOf(...gradients([{ of: loss }], [head]))
  expect(onlyHead).not.toContain('reluBackward')
  expect(onlyHead.filter((name) => name === 'matmul')).toHaveLength(1)
})

test('no gradient arrives at what the loss does not depend on', () => {
  const [x, other] = [inputValue('x', [2]), parameterValue('other', [2])]
  const { loss } = meanSquaredError(x, inputValue('t', [2]))
  const [dx, none] = gradients([{ of: loss }], [x, other])
  expect(dx!.shape).toEqual([2])
  expect(none).toBeUndefined()
})

test('the gradient of a loss is its seed times the stored one, and weights of losses become factors', () => {
  const [x, t] = [inputValue('x', [null, 3]), inputValue('t', [null, 3])]
  const { loss, dpredictions } = meanSquaredError(x, t)
  expect(gradients([{ of: loss }], [x])[0]).toBe(dpredictions)
  const [weighted] = gradients([{ of: scale(loss, 0.25) }], [x])
  expect(nodeOf(weighted!)).toMatchObject({ op: { name: 'scale' }, attributes: { factor: 0.25 }, inputs: [dpredictions, undefined] })
})

test('stopGradient: the same numbers, and no gradient through them', () => {
  const x = inputValue('x', [4])
  const dy = inputValue('dy', [4])
  expect(gradients([{ of: stopGradient(relu(x)), gradient: dy }], [x])).toEqual([undefined])
  const straight = add(x, stopGradient(sub(sign(x), x)))
  expect(gradients([{ of: straight, gradient: dy }], [x])).toEqual([dy])
})

test('gradients have the shapes of what they belong to', () => {
  const x = inputValue('x', [null, 7, 9, 4])
  const w = parameterValue('w', [3, 2, 2, 6])
  const y = maxPool2d(conv2d(x, w, { groups: 2, stride: [2, 1], padding: 'same', dilation: [1, 2] }), 2, { ceil: true })
  const [dx, dw] = gradients([{ of: y, gradient: inputValue('dy', y.shape) }], [x, w])
  expect(dx!.shape).toEqual(x.shape)
  expect(dw!.shape).toEqual(w.shape)
})

test('a chain of thousands of ops', () => {
  const x = inputValue('x', [4])
  let y: Value = x
  for (let i = 0; i < 20_000; i++) y = relu(y)
  expect(opsOf(...gradients([{ of: y, gradient: inputValue('dy', [4]) }], [x]))).toHaveLength(40_000)
})

describe('what is refused', () => {
  const x = inputValue('x', [4])

  test('the gradient of a gradient, by the name of what lacks it', () => {
    const y = relu(x, { name: 'first' })
    const [dx] = gradients([{ of: y, gradient: inputValue('dy', [4]) }], [x])
    expect(() => gradients([{ of: dx!, gradient: inputValue('ddx', [4]) }], [x])).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: 'reluBackward "first" has no gradient' }),
    )
  })

  test('a loss of several elements without a gradient of its own', () => {
    expect(() => gradients([{ of: relu(x) }], [x])).toThrow('gradients: a loss must have one element, shape [], received [4]')
    expect(() => gradients([{ of: relu(x), gradient: inputValue('dy', [5]) }], [x])).toThrow(/of shape \[4\] has shape \[5\]/)
  })

  test('inputs of a wrong shape', () => {
    expect(() => inputValue('x', [4, null])).toThrow(/only the first size may be the batch size/)
    expect(() => inputValue('x', [0])).toThrow(/sizes must be positive integers/)
    expect(() => parameterValue('w', [2.5])).toThrow(/sizes must be positive integers/)
  })

  test('a mix of tensors and values', () => {
    const tensor = { shape: [4], data: new Float32Array(4) }
    // @ts-expect-error: the compiler says so too
    expect(() => add(x, tensor)).toThrow('add: takes tensors or values of a graph, not both')
  })
})

test('a node knows its op, inputs and name', () => {
  const x = inputValue('x', [4])
  const y = apply(nodeOf(relu(x))!.op, [x], {}, 'last')[0]!
  expect(nodeOf(y)).toMatchObject({ label: 'last', inputs: [x], outputs: [y] })
})
