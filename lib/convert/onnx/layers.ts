import type { Value } from '../../graph/value'
import { Maxout } from '../../layers/maxout'
import { Rnn } from '../../layers/rnn'
import { Scaling } from '../../layers/upsample'
import type { PlacedLayer } from '../../model/architecture'
import { repeat } from './operators-window'
import { type AttributeMap, int, ints, strings, type Writer } from './writer'

/** Parameters of a model, by their full names. */
type Parameters = ReadonlyMap<string, Value>

/** Writes a layer for which ONNX has one word, though it is many ops here. Tells whether it is such. */
export function writeLayer(w: Writer, { layer, name }: PlacedLayer, parameters: Parameters, x: Value, y: Value): boolean {
  if (layer instanceof Scaling && layer.type === 'upsample2d' && layer.config().interpolation === 'nearest') repeat(w, x, y)
  else if (layer instanceof Maxout) largestPiece(w, layer.config().pieces, x, y)
  else if (layer instanceof Rnn) recurrent(w, layer.config(), (parameter) => parameters.get(`${name}/${parameter}`), x, y)
  else return false
  return true
}

/** Channels are piece after piece, each of all units. */
function largestPiece(w: Writer, pieces: number, x: Value, y: Value): void {
  const [form, rank] = [w.formOf(x), x.shape.length]
  const sizes = x.shape.slice(1, -1) as number[]
  const apart = [pieces, y.shape.at(-1)!]
  const isFirst = form === 'first' || rank === 2
  const shaped = w.node('Reshape', [w.get(x, form), w.integers(isFirst ? [-1, ...apart, ...sizes] : [-1, ...sizes, ...apart])])
  w.set(y, form, w.node('ReduceMax', [shaped, w.integers([isFirst ? 1 : rank - 1])], { keepdims: int(0) }))
}

/** ONNX has the steps first, `[L, N, C]`, and a direction: X, W `[1, units, C]`, R `[1, units, units]`, B `[1, 2 · units]` → Y `[L, 1, N, units]`, Y_h `[1, N, units]`. */
function recurrent(
  w: Writer,
  { units, activation, all }: ReturnType<Rnn<boolean, string>['config']>,
  parameter: (name: string) => Value | undefined,
  x: Value,
  y: Value,
): void {
  const form = w.formOf(x)
  w.isPermuted = true
  const steps = w.node('Transpose', [w.get(x, form)], { perm: ints(form === 'first' ? [2, 0, 1] : [1, 0, 2]) })
  const turned = (name: string) => {
    const { shape } = parameter(name)!
    return w.parameter(parameter(name)!, [0, 2, 1], [1, ...(shape as number[])])
  }
  const biases = w.parameter(parameter('bias')!, [0, 1], [1, units], units)
  const operands = [steps, turned('kernel'), turned('recurrentKernel'), biases]
  const given: AttributeMap = { activations: strings([words[activation]]), hidden_size: int(units) }
  const states = w.node('Squeeze', [w.node('RNN', operands, given, all ? 0 : 1), w.integers([all ? 1 : 0])])
  const state = all ? w.node('Transpose', [states], { perm: ints([1, 0, 2]) }) : states
  const kernel = parameter('outputKernel')
  const made = kernel ? w.node('Add', [w.node('MatMul', [state, w.parameter(kernel)]), w.parameter(parameter('outputBias')!)]) : state
  w.set(y, 'last', made)
}

const words = { tanh: 'Tanh', relu: 'Relu', sigmoid: 'Sigmoid' } as const
