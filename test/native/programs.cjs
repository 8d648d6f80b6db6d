/** Programs for the tests of the native addon, in this process and in child processes (which cannot load TypeScript). */
const { join, dirname } = require('node:path')
const { resolve } = require('node-gyp-build')

const binary = process.env.CONVLANE_BINARY ?? resolve(dirname(dirname(__dirname)))
const native = require(binary)

const operand = (space, offset, shape, options = {}) => ({ space, offset, dtype: 'float32', shape, batched: false, ...options })
const aligned = (elements) => Math.ceil(elements / 16) * 16
const count = (shape) => shape.reduce((all, size) => all * size, 1)

/** Lays operands out one behind the other. */
function layout(space) {
  let end = 0
  return {
    add(shape, options) {
      const offset = end
      end += aligned(count(shape))
      return operand(space, offset, shape, options)
    },
    get elements() {
      return end
    },
  }
}

/** Linear regression from 8 values to 3 by gradient descent: forward, loss, gradients, and the update of weights and bias. Outputs: loss, predictions. */
function regression(capacity = 16, lane = 'train') {
  const arena = layout('arena')
  const state = layout('state')
  const batched = { batched: true }
  const x = operand('input', 0, [capacity, 8], batched)
  const targets = operand('input', 1, [capacity, 3], batched)
  const w = state.add([8, 3])
  const bias = state.add([3])
  const y = arena.add([capacity, 3], batched)
  const loss = arena.add([])
  const dy = arena.add([capacity, 3], batched)
  const dw = arena.add([8, 3])
  const db = arena.add([3])
  const sgd = { op: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 }
  return {
    stateElements: state.elements,
    spec: {
      capacity,
      arenaElements: arena.elements,
      inputs: [x, targets].map(({ dtype, shape }) => ({ dtype, shape, batched: true })),
      outputs: [loss, y],
      steps: [
        { op: 'dense', x, w, bias, y, activation: 'linear' },
        { op: 'meanSquaredError', predictions: y, targets, loss, dpredictions: dy },
        { op: 'matmul', a: x, b: dy, y: dw, transposeA: true, transposeB: false },
        { op: 'biasGradient', dy, db },
        { ...sgd, param: w, grad: dw },
        { ...sgd, param: bias, grad: db },
      ],
      updateFrom: 4,
      lane,
    },
  }
}

/** `count` products of two matrices, a few milliseconds each; then, when `update`, every element of a state of one megabyte is set to the number `value`. */
function heavy(count, { lane = 'train', size = 384, update = false, updates = 1 } = {}) {
  const arena = layout('arena')
  const a = arena.add([size, size])
  const b = arena.add([size, size])
  const y = arena.add([size, size])
  const first = arena.add([])
  const steps = [
    { op: 'fill', y: a, value: 1 },
    { op: 'fill', y: b, value: 1 },
    { op: 'fill', y: first, value: 1 },
    ...Array.from({ length: count }, () => ({ op: 'matmul', a, b, y, transposeA: false, transposeB: false })),
  ]
  const updateFrom = steps.length
  const elements = 1 << 18
  const grad = arena.add([elements])
  steps.unshift({ op: 'fill', y: grad, value: -1 })
  const sgd = { op: 'sgd', momentum: 0, nesterov: false, weightDecay: 0, param: operand('state', 0, [elements]), grad }
  return {
    stateElements: elements,
    spec: {
      capacity: 1,
      arenaElements: arena.elements,
      inputs: [],
      outputs: [first],
      steps: update ? [...steps, ...Array.from({ length: updates }, () => sgd)] : steps,
      ...(update ? { updateFrom: updateFrom + 1 } : {}),
      lane,
    },
  }
}

/** y = 2 x · w for x of 16 numbers and w, 16 x 16, in the state: 2w is kept. */
function product(capacity) {
  const y = operand('arena', 0, [capacity, 16], { batched: true })
  const kept = operand('kept', 0, [16, 16])
  return {
    capacity,
    arenaElements: capacity * 16,
    inputs: [{ dtype: 'float32', shape: [capacity, 16], batched: true }],
    outputs: [y],
    prelude: { steps: 1, elements: 256 },
    steps: [
      { op: 'scale', x: operand('state', 0, [16, 16]), y: kept, factor: 2 },
      { op: 'dense', x: operand('input', 0, [capacity, 16], { batched: true }), w: kept, y, activation: 'linear' },
    ],
    lane: 'infer',
  }
}

module.exports = { binary, native, operand, layout, regression, heavy, product, root: join(__dirname, '../..') }
