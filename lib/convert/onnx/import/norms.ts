import { batchNorm } from '../../../layers/batchNorm'
import { groupNorm, instanceNorm } from '../../../layers/groupNorm'
import type { Layer } from '../../../layers/layer'
import { layerNorm } from '../../../layers/layerNorm'
import { rmsNorm } from '../../../layers/rmsNorm'
import { inOrder, type Last } from './arranger'
import type { Call, Operator } from './call'
import { broadcastShape, broadcastTo } from './constant'
import type { Weights } from './importer'
import { product } from './view'

/** Weights of the channels, in the order that the node has them. */
function channelWeights(call: Call, last: Last, parameters: Readonly<Record<string, number>>): Weights {
  const channels = last.node.shape.at(-1)!
  const fills = Object.entries(parameters).map(([name, index]) => {
    const data = call.vector(index, channels)
    return [name, () => inOrder(data, [channels], 0, last)] as const
  })
  return { key: JSON.stringify([call.op, call.names(1), last.sizes, last.order]), from: call.names(1), fills: Object.fromEntries(fills) }
}

const batch: Operator = (call) => {
  const { attributes } = call
  attributes.only('training_mode', 0)
  attributes.only('spatial', 1)
  const last = call.arranger.last(call.view(), 1, call.fail)
  const options = { epsilon: attributes.float('epsilon', 1e-5), momentum: attributes.float('momentum', 0.9) }
  const weights = channelWeights(call, last, { gamma: 1, beta: 2, movingMean: 3, movingVariance: 4 })
  return last.back(call.layer(last.node, (named) => batchNorm({ ...options, ...named }), weights))
}

const instance: Operator = (call) => {
  const last = call.arranger.last(call.view(), 1, call.fail)
  const epsilon = call.attributes.float('epsilon', 1e-5)
  const weights = channelWeights(call, last, { gamma: 1, beta: 2 })
  return last.back(call.layer(last.node, (named) => instanceNorm({ epsilon, ...named }), weights))
}

const group: Operator = (call) => {
  const { attributes, fail } = call
  const view = call.view()
  const node = call.arranger.channelsLast(view, fail)
  const channels = node.shape.at(-1)!
  const groups = attributes.int('num_groups', 0)
  const epsilon = attributes.float('epsilon', 1e-5)
  attributes.only('stash_type', 1)
  if (groups < 1 || channels % groups !== 0) throw fail.damaged(`${groups} groups do not divide ${channels} channels`)
  const perGroup = call.opset < 21
  const fills = Object.fromEntries(
    ['gamma', 'beta'].map((name, index) => {
      const data = call.vector(index + 1, perGroup ? groups : channels)
      call.graph.spend(channels, fail)
      return [name, () => (perGroup ? Float32Array.from({ length: channels }, (_, c) => data[Math.floor((c * groups) / channels)]!) : data)]
    }),
  )
  const weights = { key: JSON.stringify([call.op, call.names(1)]), from: call.names(1), fills }
  return call.arranger.channelsFirst(call.layer(node, (named) => groupNorm(groups, { epsilon, ...named }), weights))
}

/** Weights of these sizes; where the file has fewer, they are repeated. */
function spread(call: Call, index: number, sizes: readonly number[]): Float32Array {
  const constant = call.floats(index)
  if (constant.data.length === product(sizes) || broadcastShape(constant.shape, sizes)?.join() !== sizes.join())
    return call.vector(index, product(sizes))
  call.graph.spend(product(sizes), call.fail)
  return broadcastTo(constant, sizes).data as Float32Array
}

/** Over the last axes of the file, in its order. */
const overLast =
  (make: (options: object) => Layer): Operator =>
  (call) => {
    const { attributes, fail } = call
    const view = call.view()
    const rank = view.axes.length
    const from = call.axis(attributes.int('axis', -1), rank)
    if (from === 0) throw fail.unsupported('it normalizes the batch')
    attributes.only('stash_type', 1)
    const epsilon = attributes.float('epsilon', 1e-5)
    const node = call.arranger.arranged(
      view,
      [...view.axes.keys()].map((axis) => [axis]),
      fail,
    )
    const sizes = node.shape.slice(from) as number[]
    const gamma = spread(call, 1, sizes)
    const beta = call.has(2) ? spread(call, 2, sizes) : undefined
    const options = { axes: rank - from, epsilon, ...(call.op === 'LayerNormalization' && { center: beta !== undefined }) }
    const fills = { gamma: () => gamma, ...(beta && { beta: () => beta }) }
    const weights = { key: JSON.stringify([call.op, call.names(1)]), from: call.names(1), fills }
    return { node: call.layer(node, (named) => make({ ...options, ...named }), weights), axes: view.axes.map((_, axis) => [axis]) }
  }

/** What normalizes. */
export const norms: Readonly<Record<string, Operator>> = {
  BatchNormalization: batch,
  InstanceNormalization: instance,
  GroupNormalization: group,
  LayerNormalization: overLast(layerNorm),
  RMSNormalization: overLast(rmsNorm),
}
