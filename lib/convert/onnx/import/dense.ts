import { conv1d } from '../../../layers/conv1d'
import { conv2d } from '../../../layers/conv2d'
import { dense } from '../../../layers/dense'
import type { Layer } from '../../../layers/layer'
import { permuted } from '../arrange'
import { inOrder, type Last } from './arranger'
import type { Call, Operator } from './call'
import type { Constant } from './constant'
import type { Weights } from './importer'
import { plainView, type View } from './view'

/** A kernel `[inputs, units]`, as the layer has it and for what the layer sees. */
interface Kernel {
  readonly data: Float32Array
  readonly inputs: number
  readonly units: number
  /** Name in the file, and what else tells kernels that are made of it apart. */
  readonly name: string
  readonly kind: string
}

/** The layer that weighs all of the last axis: dense, or a convolution with one tap where there are more axes. */
function makerOf(rank: number, units: number, bias: boolean): (named: { name?: string }) => Layer {
  if (rank === 2) return (named) => dense(units, { bias, ...named })
  if (rank === 3) return (named) => conv1d(units, 1, { bias, ...named })
  return (named) => conv2d(units, 1, { bias, ...named })
}

function weigh(
  call: Call,
  last: Last,
  { data, inputs, units, name, kind }: Kernel,
  bias: { data: Float32Array; name: string } | undefined,
): View {
  const { node } = last
  if (node.shape.at(-1) !== inputs)
    throw call.fail.damaged(`the weights' shape is [${inputs}, ${units}], the input has ${node.shape.at(-1)} columns`)
  if (node.shape.length > 4) throw call.fail.unsupported(`a product with a tensor of ${node.shape.length} axes`)
  const weights = (own: typeof bias): Weights => ({
    key: JSON.stringify([call.op, name, kind, own?.name, last.sizes, last.order]),
    from: [name, ...(own ? [own.name] : [])],
    fills: { kernel: () => inOrder(data, [inputs, units], 0, last), ...(own && { bias: () => own.data }) },
  })
  const made = call.layer(node, makerOf(node.shape.length, units, bias !== undefined), weights(bias))
  if (!bias) {
    call.graph.biasable.set(made, {
      withBias(constant, biasName) {
        const own = biasOf(constant, units, made.shape.length)
        if (!own) return undefined
        call.graph.release(made)
        return plainView(call.layer(node, makerOf(node.shape.length, units, true), weights({ data: own, name: biasName })))
      },
    })
  }
  return plainView(made)
}

/** A constant as the bias of so many units; none where it is another for each row, or has more axes than what it is added to. */
function biasOf({ data, shape }: Constant, units: number, rank = 2): Float32Array | undefined {
  if (!(data instanceof Float32Array) || shape.length > rank) return undefined
  if (data.length === 1) return new Float32Array(units).fill(data[0]!)
  return data.length === units && shape.at(-1) === units ? data : undefined
}

/** y = alpha · x · kernel + beta · bias. */
const gemm: Operator = (call) => {
  const { attributes, fail } = call
  attributes.only('transA', 0)
  const view = call.view()
  const { data, shape } = call.floats(1)
  if (view.axes.length !== 2 || shape.length !== 2)
    throw fail.damaged(`takes tensors of 2 axes, received ${view.axes.length} and ${shape.length}`)
  const transposed = attributes.int('transB', 0) !== 0
  const [alpha, beta] = [attributes.float('alpha', 1), attributes.float('beta', 1)]
  const [inputs, units] = (transposed ? [shape[1], shape[0]] : shape) as [number, number]
  const turned = transposed ? permuted(data, shape, [1, 0]) : data
  const last = call.arranger.last(view, 1, fail)
  call.graph.spend(data.length + units, fail)
  const kernel = { data: scaled(turned, alpha), inputs, units, name: call.proto.input[1]!, kind: `${transposed} ${alpha} ${beta}` }
  if (!call.has(2)) return weigh(call, last, kernel, undefined)
  const bias = biasOf(call.floats(2), units)
  if (!bias) throw fail.unsupported(`input 2 "${call.proto.input[2]}" is no bias of ${units} units`)
  return weigh(call, last, kernel, { data: scaled(bias, beta), name: call.proto.input[2]! })
}

const scaled = (data: Float32Array, factor: number): Float32Array => (factor === 1 ? data : data.map((value) => value * factor))

const matmul: Operator = (call) => {
  const view = call.view()
  const { data, shape } = call.floats(1)
  if (shape.length !== 2)
    throw call.fail.unsupported(`input 1 "${call.proto.input[1]}" has ${shape.length} axes, understood are weights of 2`)
  const last = call.arranger.last(view, view.axes.length - 1, call.fail)
  const [inputs, units] = shape as [number, number]
  return weigh(call, last, { data, inputs, units, name: call.proto.input[1]!, kind: '' }, undefined)
}

/** Products with weights. */
export const products: Readonly<Record<string, Operator>> = { Gemm: gemm, MatMul: matmul }
