import { describe, expect, test } from 'vitest'
import { gradients } from '../../lib/graph/gradients'
import { inputValue, parameterValue } from '../../lib/graph/sources'
import type { Value } from '../../lib/graph/value'
import * as ops from '../../lib/ops'
import { type CompileOptions, compileProgram, type Updates } from '../../lib/program/compile'
import { stateLayout } from '../../lib/program/state-layout'
import { memoryFaults, operandsOf, runSpec } from './runSpec'

const compile = (options: Partial<CompileOptions> & Pick<CompileOptions, 'outputs'>) =>
  compileProgram({ inputs: [], layout: stateLayout([]), capacity: 4, lane: 'infer', ...options })
const opsOf = (options: Parameters<typeof compile>[0]) => compile(options).spec.steps.map((step) => step.op)

/** Convolution → relu → pooling → dropout → dense, with its loss and gradients. */
function network() {
  const shapes: Record<string, number[]> = { w: [3, 3, 1, 5], bias: [5], head: [45, 3], headBias: [3] }
  const layout = stateLayout(
    Object.entries(shapes).map(([name, shape]) => ({ name, shape })),
    ['velocity'],
  )
  const parameters = layout.parameters.map(({ name, shape }) => parameterValue(name, shape))
  const [w, bias, head, headBias] = parameters as [Value, Value, Value, Value]
  const [x, labels] = [inputValue('x', [null, 8, 8, 1]), inputValue('labels', [null], 'int32')]
  const image = ops.maxPool2d(ops.conv2d(x, w, { bias, activation: 'relu', name: 'stem' }), 2)
  const logits = ops.dense(ops.flatten(ops.dropout(image, 0.5)), head, { bias: headBias, name: 'head' })
  const { loss } = ops.softmaxCrossEntropy(logits, labels)
  const found = gradients([{ of: loss }], parameters)
  const updates: Updates = {
    gradients: new Map(layout.parameters.map(({ name }, index) => [name, found[index]])),
    optimizer: { op: 'sgd', attributes: { momentum: 0.9, nesterov: false, weightDecay: 0 }, slots: ['velocity'] },
  }
  return { x, labels, image, logits, loss, layout, updates, inputs: [x, labels] }
}

describe('a training step', () => {
  const { inputs, loss, layout, updates, logits, labels } = network()
  const { correct } = ops.accuracy(logits, labels)
  const { spec, labels: names } = compile({ inputs, outputs: [loss, correct], updates, layout, lane: 'train' })
  const steps = spec.steps.filter((step) => step.op !== 'fill')

  test('has each step once, fused, and one update', () => {
    expect(steps.map((step) => step.op).sort()).toEqual(
      [
        'conv2d',
        'maxPool2d',
        'dropout',
        'dense',
        'softmaxCrossEntropy',
        'accuracy',
        'biasGradient',
        'matmul',
        'matmul',
        'dropout',
        'maxPool2dBackward',
        'reluBackward',
        'conv2dBackwardWeights',
        'biasGradient',
        'sgd',
      ].sort(),
    )
    expect(steps[0]).toMatchObject({
      op: 'conv2d',
      activation: 'relu',
      stride: [1, 1],
      padding: [
        [0, 0],
        [0, 0],
      ],
      groups: 1,
      algorithm: 'auto',
    })
  })

  test('names the layers of its steps', () => {
    expect(names).toHaveLength(spec.steps.length)
    expect(names[spec.steps.findIndex((step) => step.op === 'conv2d')]).toBe('stem')
    expect(names[spec.steps.findIndex((step) => step.op === 'conv2dBackwardWeights')]).toBe('stem')
    expect(names[spec.steps.findIndex((step) => step.op === 'matmul')]).toBe('head')
  })

  test('updates all parameters in one step, whose gradients lie as the parameters do', () => {
    const update = operandsOf(spec.steps[spec.updateFrom!]!)
    expect(spec.updateFrom).toBe(spec.steps.length - 1)
    expect(update.param).toMatchObject({ space: 'state', offset: 0, shape: [layout.parameterElements] })
    expect(update.velocity).toMatchObject({ space: 'state', offset: layout.slots.velocity })
    expect(update.grad).toMatchObject({ space: 'arena', shape: [layout.parameterElements] })
    const dw = operandsOf(spec.steps.find((step) => step.op === 'conv2dBackwardWeights')!).dw!
    const db = spec.steps.filter((step) => step.op === 'biasGradient').map((step) => operandsOf(step).db!.offset - update.grad!.offset)
    expect(dw.offset).toBe(update.grad!.offset)
    expect(db.sort((a, b) => a - b)).toEqual([layout.parameters[1]!.offset, layout.parameters[3]!.offset])
  })

  test('has capacity as its batch, and types of its inputs', () => {
    expect(spec.inputs).toEqual([
      { dtype: 'float32', shape: [4, 8, 8, 1], batched: true },
      { dtype: 'int32', shape: [4], batched: true },
    ])
    expect(spec.outputs.map(({ space, shape, batched }) => ({ space, shape, batched }))).toEqual([
      { space: 'arena', shape: [], batched: false },
      { space: 'arena', shape: [], batched: false },
    ])
    expect(spec).toMatchObject({ capacity: 4, lane: 'train' })
    expect(memoryFaults(spec)).toEqual([])
  })

  test('attributes of the shape rules stay behind', () => {
    for (const step of spec.steps) expect(step).not.toHaveProperty('shape')
    expect(spec.steps.find((step) => step.op === 'maxPool2d')).not.toHaveProperty('ceil')
  })
})

describe('what nothing reads is left out', () => {
  test('positions of a pooling in inference, and dlogits of a loss', () => {
    const { inputs, image, loss, layout } = network()
    const pool = compile({ inputs, layout, outputs: [image] }).spec.steps.find((step) => step.op === 'maxPool2d')!
    expect(Object.keys(operandsOf(pool))).toEqual(['x', 'y'])
    const last = compile({ inputs, layout, outputs: [loss] }).spec.steps.at(-1)!
    expect(Object.keys(operandsOf(last))).toEqual(['logits', 'labels', 'loss'])
  })

  test('whole branches', () => {
    const x = inputValue('x', [null, 4])
    ops.tanh(ops.relu(x))
    expect(opsOf({ inputs: [x], outputs: [ops.sigmoid(x)] })).toEqual(['sigmoid'])
  })

  test('a program may have inputs that nothing reads', () => {
    const [x, unread] = [inputValue('x', [null, 4]), inputValue('unread', [7], 'uint8')]
    expect(compile({ inputs: [unread, x], outputs: [ops.relu(x)] }).spec).toMatchObject({
      inputs: [{ dtype: 'uint8', shape: [7], batched: false }, { shape: [4, 4] }],
      steps: [{ op: 'relu', x: { space: 'input', offset: 1 } }],
    })
  })
})

describe('fusion', () => {
  const x = inputValue('x', [null, 4])
  const w = parameterValue('w', [4, 4])
  const layout = stateLayout([{ name: 'w', shape: [4, 4] }])
  const of = (...outputs: Value[]) => compile({ inputs: [x], layout, outputs }).spec.steps.map(({ op, activation }) => [op, activation])

  test('an activation alone on a dense layer or a sum', () => {
    expect(of(ops.relu(ops.dense(x, w)))).toEqual([['dense', 'relu']])
    expect(of(ops.tanh(ops.add(x, ops.sigmoid(ops.dense(x, w)))))).toEqual([
      ['dense', 'sigmoid'],
      ['add', 'tanh'],
    ])
  })

  test('with its parameters; one that needs its input back only where no gradient does', () => {
    const [step] = compile({ inputs: [x], layout, outputs: [ops.leakyRelu(ops.dense(x, w), { slope: 0.5 })] }).spec.steps
    expect(step).toMatchObject({ op: 'dense', activation: 'leakyRelu', slope: 0.5 })
    expect(of(ops.silu(ops.dense(x, w)))).toEqual([['dense', 'silu']])
    const trained = (y: Value) => of(gradients([{ of: ops.meanSquaredError(y, x).loss }], [w])[0]!)
    expect(trained(ops.elu(ops.dense(x, w)))).toContainEqual(['dense', 'elu'])
    expect(trained(ops.silu(ops.dense(x, w)))).toContainEqual(['dense', 'linear'])
  })

  test('only one', () => {
    expect(of(ops.sigmoid(ops.relu(ops.dense(x, w))))).toEqual([
      ['dense', 'relu'],
      ['sigmoid', undefined],
    ])
  })

  test('not softmax, and not where the result before is read too', () => {
    expect(of(ops.dense(x, w, { activation: 'softmax' })).map(([op]) => op)).toEqual(['dense', 'softmax'])
    const y = ops.dense(x, w)
    expect(of(ops.relu(y), y)).toEqual([
      ['dense', 'linear'],
      ['relu', undefined],
    ])
    expect(of(ops.relu(y), ops.tanh(y)).map(([, activation]) => activation)).toEqual(['linear', undefined, undefined])
  })
})

describe('memory', () => {
  test('a chain of elementwise ops takes one block', () => {
    const x = inputValue('x', [null, 100])
    let y = ops.sigmoid(x)
    for (let i = 0; i < 10; i++) y = ops.tanh(ops.scale(y, 2))
    expect(compile({ inputs: [x], outputs: [y] }).spec.arenaElements).toBe(400)
  })

  test('an input is never overwritten', () => {
    const x = inputValue('x', [null, 100])
    expect(operandsOf(compile({ inputs: [x], outputs: [ops.relu(x)] }).spec.steps[0]!).y!.space).toBe('arena')
  })

  test('an output is kept to the end, whatever reads it', () => {
    const x = inputValue('x', [4])
    const [a, b] = [ops.scale(x, 2), ops.scale(ops.scale(x, 2), 3)]
    const { spec } = compile({ inputs: [x], outputs: [a, ops.relu(a), b, ops.reshape(a, [2, 2])] })
    expect(runSpec(spec, new Float64Array(), [Float64Array.of(-1, 0, 1, 2)])).toEqual([
      [-2, 0, 2, 4],
      [0, 0, 2, 4],
      [-6, 0, 6, 12],
      [-2, 0, 2, 4],
    ])
  })

  test('training a chain holds activations once, and a gradient at a time', () => {
    const shapes = Array.from({ length: 8 }, (_, i) => ({ name: `w${i}`, shape: [64, 64] }))
    const layout = stateLayout(shapes)
    const [x, t] = [inputValue('x', [null, 64]), inputValue('t', [null, 64])]
    const parameters = shapes.map(({ name, shape }) => parameterValue(name, shape))
    const y = parameters.reduce((value, w) => ops.dense(value, w, { activation: 'tanh' }), x)
    const { loss } = ops.meanSquaredError(y, t)
    const found = gradients([{ of: loss }], parameters)
    const updates: Updates = {
      gradients: new Map(shapes.map(({ name }, i) => [name, found[i]])),
      optimizer: { op: 'sgd', attributes: { momentum: 0, nesterov: false, weightDecay: 0 }, slots: [] },
    }
    const { spec } = compile({ inputs: [x, t], outputs: [loss], updates, layout, capacity: 100, lane: 'train' })
    const activation = 100 * 64
    expect(spec.arenaElements).toBeLessThanOrEqual(layout.parameterElements + 10 * activation + 64)
  })
})

describe('sources as outputs and gradients', () => {
  test('inputs and parameters are copied out', () => {
    const [x, w] = [inputValue('x', [null, 2]), parameterValue('w', [3])]
    const layout = stateLayout([{ name: 'w', shape: [3] }])
    const { spec } = compile({ inputs: [x], outputs: [x, w, ops.reshape(x, [null, 1, 2])], layout, capacity: 2 })
    const state = new Float64Array(16).fill(7)
    expect(runSpec(spec, state, [Float64Array.of(1, 2, 3, 4)])).toEqual([
      [1, 2, 3, 4],
      [7, 7, 7],
      [1, 2, 3, 4],
    ])
  })

  test('parameters that share a gradient, have none, or are frozen', () => {
    const names = ['a', 'b', 'frozen', 'unused']
    const layout = stateLayout(names.map((name) => ({ name, shape: [3] })))
    const [a, b] = [parameterValue('a', [3]), parameterValue('b', [3])]
    const t = inputValue('t', [3])
    const { loss } = ops.meanSquaredError(ops.add(a, b), t)
    const [da, db] = gradients([{ of: loss }], [a, b])
    expect(da).toBe(db)
    const updates: Updates = {
      gradients: new Map([
        ['a', da],
        ['b', db],
        ['unused', undefined],
      ]),
      optimizer: { op: 'sgd', attributes: { momentum: 0, nesterov: false, weightDecay: 1 }, slots: [] },
    }
    const { spec } = compile({ inputs: [t], outputs: [loss], updates, layout, lane: 'train' })
    expect(spec.steps.filter((step) => step.op === 'sgd')).toHaveLength(2)
    const state = new Float64Array(64)
    for (const { offset } of layout.parameters) state.fill(1, offset, offset + 3)
    expect(runSpec(spec, state, [Float64Array.of(2, 2, 5)])).toEqual([[3]])
    // w − 0.1 · (2/3 · (a + b − t) + w)
    const trained = [0.9, 0.9, 1.1].map((w) => expect.closeTo(w, 12))
    expect(layout.parameters.map(({ offset }) => Array.from(state.subarray(offset, offset + 3)))).toEqual([
      trained,
      trained,
      [1, 1, 1],
      [0.9, 0.9, 0.9].map((w) => expect.closeTo(w, 12)),
    ])
    expect(Array.from(state.subarray(3, 16))).toEqual(Array(13).fill(0))
  })

  test('the gradient of a loss that is not weighted reads no 1, one that is passed through does', () => {
    const s = parameterValue('s', [])
    const [d] = gradients([{ of: ops.tanh(s) }], [s])
    expect(opsOf({ outputs: [d!], layout: stateLayout([{ name: 's', shape: [] }]) })).toEqual(['tanh', 'fill', 'tanhBackward'])
  })
})

describe('what is refused', () => {
  const x = inputValue('x', [null, 4])
  const w = parameterValue('w', [4])
  const layout = stateLayout([{ name: 'w', shape: [4] }])
  const sgd = { op: 'sgd', attributes: {}, slots: [] } as const
  const refused = (options: Parameters<typeof compile>[0], code: string, message: RegExp) =>
    expect(() => compile(options)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }))

  test('capacities', () => {
    for (const capacity of [0, -1, 1.5, Number.NaN, '4']) {
      refused(
        { inputs: [x], outputs: [ops.relu(x)], capacity: capacity as number },
        'INVALID_ARGUMENT',
        /capacity must be a positive integer/,
      )
    }
    const wide = inputValue('x', [null, 300])
    const [one, two] = [ops.relu(wide), ops.tanh(wide)]
    refused({ inputs: [wide], outputs: [one, two], capacity: 2 ** 31 - 1 }, 'OUT_OF_MEMORY', /needs more than 2\^40 elements/)
    refused({ inputs: [wide], outputs: [ops.concat([one, two])], capacity: 2 ** 31 - 1 }, 'INVALID_SHAPE', /has more than 2\^40 elements/)
  })

  test('inputs and parameters that are not declared', () => {
    refused({ outputs: [ops.relu(x)] }, 'INVALID_ARGUMENT', /input "x" is not among its inputs/)
    refused({ outputs: [ops.relu(w)] }, 'INVALID_ARGUMENT', /the state has no parameter "w"/)
    refused(
      { outputs: [ops.relu(parameterValue('w', [5]))], layout },
      'INVALID_SHAPE',
      /"w" has shape \[4\] in the state, \[5\] in the graph/,
    )
  })

  test('updates that do not fit', () => {
    const updates = (name: string, gradient: Value, slots: string[] = []): Updates => ({
      gradients: new Map([[name, gradient]]),
      optimizer: { ...sgd, slots },
    })
    refused({ outputs: [], updates: updates('v', w), layout }, 'INVALID_ARGUMENT', /the state has no parameter "v"/)
    refused({ outputs: [], updates: updates('w', w, ['m']), layout }, 'INVALID_ARGUMENT', /the state has no optimizer slot "m"/)
    refused(
      { outputs: [], updates: updates('w', parameterValue('w', [2, 2])), layout },
      'INVALID_SHAPE',
      /has shape \[4\], its gradient \[2, 2\]/,
    )
  })

  test('bytes as an output', () => {
    const bytes = inputValue('bytes', [null, 4], 'uint8')
    refused({ inputs: [bytes], outputs: [bytes] }, 'UNSUPPORTED', /an input of uint8 cannot be an output/)
  })
})
