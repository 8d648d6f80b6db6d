import type { Value } from '../../graph/value'
import { attributesOf, type Operator, sizeOf } from './operator'
import { float, int, type Writer } from './writer'

/** gamma or beta of the channels; where there is none, ones or zeros. */
const channels = (w: Writer, given: Value | undefined, sizes: readonly number[], value: number): string =>
  given ? w.parameter(given) : w.floats(new Float32Array(sizeOf(sizes)).fill(value), sizes)

/** The ops that normalize, with epsilon and statistics as they are. */
export const normalizations: Readonly<Record<string, Operator>> = {
  batchNormInference(w, { inputs: [x, mean, variance, gamma, beta], outputs: [y], attributes }) {
    const size = [x!.shape.at(-1)!]
    const operands = [channels(w, gamma, size, 1), channels(w, beta, size, 0), w.parameter(mean!), w.parameter(variance!)]
    w.set(y!, 'first', w.node('BatchNormalization', [w.get(x!, 'first'), ...operands], { epsilon: float(Number(attributes.epsilon)) }))
  },
  layerNorm(w, node) {
    const [x, gamma, beta] = node.inputs
    const { axes, epsilon } = attributesOf<{ axes: number; epsilon: number }>(node)
    const scale = channels(w, gamma, x!.shape.slice(-axes) as number[], 1)
    const operands = [w.get(x!, 'last'), scale, beta ? w.parameter(beta) : '']
    w.set(node.outputs[0]!, 'last', w.node('LayerNormalization', operands, { axis: int(-axes), epsilon: float(epsilon) }))
  },
  rmsNorm(w, node) {
    const [x, gamma] = node.inputs
    const { axes, epsilon } = attributesOf<{ axes: number; epsilon: number }>(node)
    const from = w.get(x!, 'last')
    if (w.opset >= 23) {
      const scale = channels(w, gamma, x!.shape.slice(-axes) as number[], 1)
      const given = { axis: int(-axes), epsilon: float(epsilon) }
      w.set(node.outputs[0]!, 'last', w.node('RMSNormalization', [from, scale], given))
      return
    }
    const last = Array.from({ length: axes }, (_, index) => index - axes)
    const square = w.node('ReduceMean', [w.node('Mul', [from, from]), w.integers(last)], { keepdims: int(1) })
    const scaled = w.node('Div', [from, w.node('Sqrt', [w.node('Add', [square, w.number(epsilon)])])])
    w.set(node.outputs[0]!, 'last', gamma ? w.node('Mul', [scaled, w.parameter(gamma)]) : scaled)
  },
  groupNorm(w, node) {
    const [x, gamma, beta] = node.inputs
    const { groups, epsilon } = attributesOf<{ groups: number; epsilon: number }>(node)
    const size = x!.shape.at(-1)!
    const isFlat = x!.shape.length === 2
    const from = isFlat ? w.node('Reshape', [w.get(x!, 'last'), w.integers([-1, size, 1])]) : w.get(x!, 'first')
    const operands = [from, channels(w, gamma, [size], 1), channels(w, beta, [size], 0)]
    const made =
      groups === size
        ? w.node('InstanceNormalization', operands, { epsilon: float(epsilon) })
        : w.node('GroupNormalization', operands, { epsilon: float(epsilon), num_groups: int(groups) })
    w.set(node.outputs[0]!, 'first', isFlat ? w.node('Reshape', [made, w.integers([-1, size])]) : made)
  },
}
