import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  add,
  averagePool2d,
  batchNorm,
  conv2d,
  dense,
  depthwiseConv2d,
  flatten,
  globalAveragePool2d,
  input,
  loadModel,
  type Model,
  maxPool2d,
  type Node,
  network,
  relu,
  sequential,
  sgd,
  type Tensor,
} from '../../lib/index'
import { resnet18 } from '../../lib/zoo/resnet18'
import { vgg } from '../../lib/zoo/vgg'
import { type RuntimeName, randomTensor, runtimes, someLabels } from '../support/models'

const folder = mkdtempSync(join(tmpdir(), 'convlane-fold-'))
afterAll(() => rmSync(folder, { recursive: true }))

const shape = [8, 8, 3]
const samples = (n: number, seed = 1) => randomTensor([n, ...shape], seed)

/** A network with residual blocks, and one without; `seen` collects the convolutions before the normalizations. */
const networks: Record<string, (x: Node<4>, seen: Node[]) => Node<4>> = {
  residual(x, seen) {
    const conv = (from: Node<4>, filters: number, stride: number, activation: 'relu' | 'linear') => {
      const y = conv2d(filters, 3, { stride, padding: 1, bias: false }).apply(from)
      seen.push(y)
      return batchNorm({ activation, momentum: 0.8 }).apply(y)
    }
    const stem = conv(x, 5, 1, 'relu')
    const projected = conv2d(6, 1, { stride: 2 }).apply(stem)
    seen.push(projected)
    const residual = conv(conv(stem, 6, 2, 'relu'), 6, 1, 'linear')
    return relu().apply(add().apply(residual, batchNorm().apply(projected)))
  },
  plain(x, seen) {
    const first = conv2d(6, 3, { padding: 'same' }).apply(x)
    const spread = depthwiseConv2d(3, { padding: 'same' }).apply(batchNorm({ activation: 'relu6' }).apply(first))
    seen.push(first, spread)
    return maxPool2d(2).apply(batchNorm({ activation: 'silu', scale: false }).apply(spread))
  },
}

/** The same network twice: one that may be folded, and one that gives its convolutions too, so that it must not be. */
function pair(make: (typeof networks)[string], runtime: RuntimeName) {
  const build = (all: boolean) => {
    const x: Node<4> = input(shape as [number, number, number])
    const seen: Node[] = []
    const logits = dense(4).apply(globalAveragePool2d().apply(make(x, seen)))
    return network({ inputs: x, outputs: all ? [logits, ...seen] : logits, seed: 5, runtime }) as unknown as Model
  }
  return { model: build(false), unfolded: build(true) }
}

const first = async (model: Model, x: Tensor): Promise<Float32Array> => {
  const outputs = (await model.predict(x)) as Tensor | Tensor[]
  return (Array.isArray(outputs) ? outputs[0]! : outputs).data as Float32Array
}

const near = (found: Float32Array, expected: Float32Array, tolerance = 2e-5) => {
  expect(found.length).toBe(expected.length)
  for (const [i, value] of expected.entries())
    expect(Math.abs(found[i]! - value), `[${i}]`).toBeLessThan(tolerance * Math.max(1, Math.abs(value)))
}

describe.each(runtimes)('%s', (runtime) => {
  test.each(Object.keys(networks))('a %s network predicts what it does unfolded: after training, setWeights and load', async (name) => {
    const { model, unfolded } = pair(networks[name]!, runtime)
    const compiled = model.compile({ optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }), loss: 'softmaxCrossEntropy' })
    const check = async (one: Model, n: number) => {
      await unfolded.setWeights(await one.getWeights())
      near(await first(one, samples(n, n)), await first(unfolded, samples(n, n)))
    }
    await check(model, 3)
    for (let step = 0; step < 3; step++) {
      await compiled.trainOnBatch(samples(6, step), someLabels(6, 4))
      await check(model, 1 + step)
    }
    const weights = await model.getWeights()
    await model.setWeights(
      Object.fromEntries(
        Object.entries(weights).map(([key, { data, ...rest }]) => [key, { ...rest, data: data.map((value) => value * 1.25) }]),
      ),
    )
    await check(model, 2)
    const file = join(folder, `${runtime}-${name}.safetensors`)
    await model.save(file)
    await check(await loadModel(file, { runtime }), 3)
  })
})

test('predictions beside training are those of whole steps, folded', async () => {
  const make = () => {
    const model = sequential(
      { input: [8, 8, 3], seed: 3 },
      conv2d(5, 3, { bias: false }),
      batchNorm({ activation: 'relu', momentum: 0.7 }),
      flatten(),
      dense(4),
    )
    return model.compile({ optimizer: sgd({ learningRate: 0.05 }), loss: 'softmaxCrossEntropy' })
  }
  const [x, y, seen] = [samples(16), someLabels(16, 4), samples(4, 9)]
  const steps = 40
  const text = async (model: { predict(x: typeof seen): Promise<{ data: Float32Array }> }) => (await model.predict(seen)).data.join()
  const alone = make()
  const after = new Set([await text(alone)])
  for (let step = 0; step < steps; step++) {
    await alone.trainOnBatch(x, y)
    after.add(await text(alone))
  }
  expect(after.size).toBe(steps + 1)
  const model = make()
  let isDone = false
  const training = (async () => {
    for (let step = 0; step < steps; step++) await model.trainOnBatch(x, y)
    isDone = true
  })()
  const found = new Set<string>()
  while (!isDone) found.add(await text(model))
  await training
  for (const one of found) expect(after).toContain(one)
  expect(await text(model)).toBe([...after].at(-1))
})

test('the networks of the zoo predict without a step for normalization or relu; the sum of a residual block has its own', async () => {
  for (const model of [vgg({ input: [8, 8, 3], classes: 4 }), resnet18({ input: [8, 8, 3], classes: 4 })]) {
    const profile = await model.profile({ steps: 2, batchSize: 2 })
    expect(profile.mode).toBe('predict')
    const ops = new Set(profile.steps.map(({ op }) => op))
    for (const op of ops)
      expect(['conv2d', 'add', 'maxPool2d', 'adaptiveAveragePool2d', 'averagePool2d', 'dense', 'sum', 'reshape']).toContain(op)
    expect(profile.steps.every(({ seconds }) => Number.isFinite(seconds))).toBe(true)
    expect(model.summary().memory.arenaBytes).toBeGreaterThan(0)
    model.dispose()
  }
})

test('training them takes no step for relu: normalizations and sums apply it', async () => {
  for (const model of [vgg({ input: [8, 8, 3], classes: 4 }), resnet18({ input: [8, 8, 3], classes: 4 })]) {
    const compiled = model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' })
    const ops = (await compiled.profile({ steps: 1, batchSize: 2 })).steps.map(({ op }) => op)
    expect(ops).toContain('batchNorm')
    expect(ops).not.toContain('relu')
    model.dispose()
  }
})

test('evaluate takes folded weights too, and says what it did before', async () => {
  const { model, unfolded } = pair(networks.residual!, 'native')
  const options = { optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy' } as const
  const data = { x: samples(9), y: someLabels(9, 4) }
  const compiled = model.compile(options)
  const { loss } = await compiled.evaluate(data)
  const logits = await first(unfolded, data.x)
  const labels = data.y.data
  const expected = Array.from(labels, (label, row) => {
    const values = [...logits.subarray(4 * row, 4 * row + 4)]
    return Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0)) - values[label]!
  })
  expect(loss).toBeCloseTo(expected.reduce((sum, value) => sum + value, 0) / 9, 5)
})

test('a layer between convolution and normalization stays where it is', async () => {
  const model = sequential({ input: [8, 8, 3] }, conv2d(4, 3), averagePool2d(2), batchNorm(), relu(), flatten(), dense(2))
  const ops = (await model.profile({ steps: 1, batchSize: 2 })).steps.map(({ op }) => op)
  expect(ops).toContain('batchNormInference')
  expect(ops).not.toContain('relu')
})
