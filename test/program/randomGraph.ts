import { gradients } from '../../lib/graph/gradients'
import { inputValue, parameterValue } from '../../lib/graph/sources'
import type { Value } from '../../lib/graph/value'
import * as ops from '../../lib/ops'
import type { CompileOptions } from '../../lib/program/compile'
import { stateLayout } from '../../lib/program/state-layout'
import { Random } from '../support/random'

type Plan = Omit<CompileOptions, 'passes'>

/** Images [N, H, W, C] that ops are applied to, one chosen at random after the other, and the parameters that they use. */
class Builder {
  readonly parameters: { name: string; shape: readonly number[]; value: Value }[] = []
  private streams = 0

  constructor(private readonly random: Random) {}

  parameter(...shape: number[]): Value {
    const name = `p${this.parameters.length}`
    const value = parameterValue(name, shape)
    this.parameters.push({ name, shape, value })
    return value
  }

  /** One more op on one or two of the images. */
  grow(images: readonly Value[]): Value {
    const { random } = this
    const x = random.of(images)
    const channels = x.shape[3]!
    const twin = random.of(images.filter((other) => String(other.shape) === String(x.shape)))
    const neighbour = random.of(images.filter((other) => String(other.shape.slice(0, 3)) === String(x.shape.slice(0, 3))))
    const activation = random.of(['linear', 'relu', 'sigmoid', 'tanh', 'leakyRelu', 'silu', 'gelu', 'relu6'] as const)
    const choices: (() => Value)[] = [
      () => {
        const filters = random.whole(1, 5)
        const bias = random.next() < 0.5 ? this.parameter(filters) : undefined
        return ops.conv2d(x, this.parameter(3, random.whole(1, 3), channels, filters), { padding: 'same', bias, activation })
      },
      () => ops.conv2d(x, this.parameter(1, 1, 1, channels), { groups: channels, activation }),
      () => ops.add(x, twin, { activation }),
      () => ops.multiply(x, twin),
      () => ops.concat([x, neighbour]),
      () => ops.slice(x, random.whole(0, channels - 1), 1),
      () => random.of([ops.relu, ops.sigmoid, ops.tanh, ops.softmax, ops.logSoftmax, ops.elu, ops.mish, ops.hardSwish])(x),
      () => ops.scale(x, random.between(-1, 1)),
      () => ops.dropout(x, 0.3, { stream: this.streams++ }),
      () =>
        ops.maxPool2d(x, 2, {
          stride: 1,
          padding: [
            [0, 1],
            [1, 0],
          ],
        }),
      () => ops.averagePool2d(x, 3, { stride: random.whole(1, 2), padding: 1, ceil: true }),
      () => ops.reshape(ops.tanh(ops.flatten(x)), x.shape),
      () => ops.reshape(x, [x.shape[0]!, x.shape[2]!, x.shape[1]!, channels]),
    ]
    return random.of(choices)()
  }
}

/** The training step of a random network: two heads with losses, an accuracy, gradients, and updates of all parameters but some that are frozen. */
export function randomTraining(seed: number): Plan & { arrays(n: number): Float64Array[]; initial(): Float64Array } {
  const random = new Random(seed)
  const builder = new Builder(random)
  const [x, labels, targets] = [inputValue('x', [null, 4, 3, 2]), inputValue('labels', [null], 'int32'), inputValue('targets', [null, 2])]
  const images: Value[] = [x]
  for (let i = random.whole(2, 14); i > 0; i--) images.push(builder.grow(images))

  const logits = ops.dense(ops.flatten(images.at(-1)!), builder.parameter(flatSize(images.at(-1)!), 5), { bias: builder.parameter(5) })
  const side = ops.globalAveragePool2d(random.of(images))
  const predictions = ops.dense(side, builder.parameter(side.shape[1]!, 2), { activation: 'tanh' })
  const classLoss = ops.softmaxCrossEntropy(logits, labels).loss
  const sideLoss = ops.meanSquaredError(predictions, targets).loss
  const total = ops.add(classLoss, ops.scale(sideLoss, 0.5))

  const { parameters } = builder
  const layout = stateLayout(parameters, ['velocity'])
  const trained = parameters.filter(() => random.next() < 0.9)
  const found = gradients(
    [{ of: total }],
    trained.map(({ value }) => value),
  )
  const momentum = { momentum: 0.9, nesterov: false, weightDecay: 0.01 }
  const capacity = random.whole(1, 3)
  return {
    inputs: [x, labels, targets],
    outputs: [total, classLoss, ops.accuracy(logits, labels).correct, ...(random.next() < 0.5 ? [random.of(images), predictions] : [])],
    updates: {
      gradients: new Map(trained.map(({ name }, index) => [name, found[index]])),
      optimizer: { op: 'sgd', attributes: momentum, slots: ['velocity'] },
    },
    layout,
    capacity,
    lane: 'train',
    arrays: (n) => {
      const draw = new Random(seed + 1)
      return [
        Float64Array.from({ length: n * 24 }, () => draw.between(-1, 1)),
        Float64Array.from({ length: n }, () => draw.whole(0, 4)),
        Float64Array.from({ length: n * 2 }, () => draw.between(-1, 1)),
      ]
    },
    initial: () => {
      const draw = new Random(seed + 2)
      const state = new Float64Array(layout.elements)
      for (const { offset, elements } of layout.parameters) for (let i = 0; i < elements; i++) state[offset + i] = draw.between(-0.5, 0.5)
      return state
    },
  }
}

function flatSize(value: Value): number {
  return value.shape.slice(1).reduce<number>((product, size) => product * size!, 1)
}
