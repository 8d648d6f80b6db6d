import { rnn } from '../../../layers/rnn'
import { permuted } from '../arrange'
import type { Operator } from './call'

/** Longest sequence that is unrolled. */
const MOST_STEPS = 4096

const activations: Readonly<Record<string, 'tanh' | 'relu' | 'sigmoid'>> = { tanh: 'tanh', relu: 'relu', sigmoid: 'sigmoid' }

/** Elman's network: X `[L, N, C]`, W `[1, units, C]`, R `[1, units, units]`, B `[1, 2 · units]` → Y `[L, 1, N, units]`, Y_h `[1, N, units]`; layout 1: the batch first. */
const elman: Operator = (call) => {
  const { attributes, fail, arranger } = call
  attributes.choice('direction', 'forward', ['forward'])
  const [word = 'Tanh', ...others] = attributes.texts('activations') ?? []
  const activation = Object.hasOwn(activations, word.toLowerCase()) ? activations[word.toLowerCase()] : undefined
  if (!activation || others.length > 0) throw fail.unsupported(`attribute activations is ${JSON.stringify([word, ...others])}`)
  const batchFirst = attributes.int('layout', 0) !== 0
  if (call.has(4)) throw fail.unsupported('input 4 "sequence_lens"')
  if (call.has(5) && call.constant(5, true).data.some((value) => value !== 0)) throw fail.unsupported('input 5 "initial_h" is not zero')
  const view = call.view()
  if (view.axes.length !== 3) throw fail.damaged(`takes a tensor of 3 axes, received ${view.axes.length}`)
  const node = arranger.arranged(view, batchFirst ? [[0], [1], [2]] : [[1], [0], [2]], fail)
  const [steps, channels] = node.shape.slice(1) as [number, number]
  if (steps > MOST_STEPS) throw fail.unsupported(`a sequence of ${steps} steps, at most ${MOST_STEPS} are unrolled`)
  const [w, r] = [call.floats(1), call.floats(2)]
  const units = attributes.int('hidden_size', w.shape[1] ?? 0)
  if (w.shape.join() !== [1, units, channels].join() || r.shape.join() !== [1, units, units].join()) {
    throw fail.damaged(`weights of shapes [${w.shape}] and [${r.shape}], expected [1, ${units}, ${channels}] and [1, ${units}, ${units}]`)
  }
  const both = call.has(3) ? call.vector(3, 2 * units) : new Float32Array(2 * units)
  call.graph.spend(w.data.length + r.data.length, fail)
  const weights = {
    key: JSON.stringify([call.op, call.names(1)]),
    from: call.names(1),
    fills: {
      kernel: () => permuted(w.data, w.shape, [0, 2, 1]),
      recurrentKernel: () => permuted(r.data, r.shape, [0, 2, 1]),
      bias: () => both.slice(0, units).map((value, index) => value + both[units + index]!),
    },
  }
  const isUsed = (index: number) => (call.graph.uses.get(call.proto.output[index] ?? '') ?? 0) > 0
  const make = (all: boolean) => call.layer(node, (named) => rnn(units, { all, activation, ...named }), weights)
  const empty: readonly number[] = []
  const order = <T>(first: T, second: T, batch: T, rest: T) => (batchFirst ? [batch, first, second, rest] : [first, second, batch, rest])
  if (isUsed(0)) {
    const all = make(true)
    if (isUsed(1)) throw fail.unsupported('both of its outputs')
    return { node: all, axes: order<readonly number[]>([1], empty, [0], [2]) }
  }
  const last = make(false)
  const y = { node: last, axes: batchFirst ? [[0], empty, [1]] : [empty, [0], [1]] }
  return [y, y]
}

/** Networks over sequences. */
export const recurrences: Readonly<Record<string, Operator>> = { RNN: elman }
