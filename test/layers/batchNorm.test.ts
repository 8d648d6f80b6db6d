import { expect, test } from 'vitest'
import { batchNorm, input, type Layer, type Node } from '../../lib/index'
import { parametersOf } from '../../lib/layers/layer'
import { makeLayer } from '../../lib/layers/registry'

const applied = (layer: Layer, ...nodes: Node[]): Node => layer.apply(...nodes)
const shapes = (layer: Layer, node: Node) => ({
  output: applied(layer, node).shape,
  parameters: Object.fromEntries(parametersOf(layer, [node], 'test').map(({ name, shape }) => [name, shape])),
})

test('batchNorm keeps any shape and has one number of each kind for a channel', () => {
  const all = { gamma: [6], beta: [6], movingMean: [6], movingVariance: [6] }
  expect(shapes(batchNorm(), input([28, 20, 6]))).toEqual({ output: [null, 28, 20, 6], parameters: all })
  const neither = { output: [null, 12], parameters: { movingMean: [12], movingVariance: [12] } }
  expect(shapes(batchNorm({ scale: false, center: false }), input([12]))).toEqual(neither)
})

test('batchNorm is made again from its configuration', () => {
  const layer = batchNorm({ momentum: 0.9, epsilon: 1e-5, center: false, activation: 'relu' })
  expect(layer.config()).toEqual({ momentum: 0.9, epsilon: 1e-5, scale: true, center: false, activation: 'relu' })
  expect(makeLayer('batchNorm', 'n', layer.config()).config()).toEqual(layer.config())
})
