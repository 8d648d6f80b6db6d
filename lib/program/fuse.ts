import type { Value } from '../graph/value'
import { type Task, usesOf } from './task'

const producers = [
  'conv1d',
  'conv2d',
  'conv3d',
  'convTranspose1d',
  'convTranspose2d',
  'convTranspose3d',
  'dense',
  'add',
  'batchNorm',
  'batchNormInference',
  'layerNorm',
  'rmsNorm',
  'groupNorm',
]
/** What steps take as `activation`; its attributes become theirs. */
const activations = [
  ...['relu', 'sigmoid', 'tanh', 'leakyRelu', 'linearThreshold', 'elu', 'selu', 'gelu', 'geluTanh'],
  ...['silu', 'mish', 'softplus', 'softsign', 'hardSigmoid', 'hardSwish'],
]

/**
 * Merges an activation into the convolution, dense layer, normalization or sum that it is applied to, where nothing else reads what it is applied to. Where
 * backward steps read an activation's result only (relu, tanh, …), training fuses like inference.
 */
export function fuseActivations(tasks: readonly Task[], kept: readonly Value[]): Task[] {
  const uses = usesOf(tasks, kept)
  const activationOf = new Map<Value, Task>()
  for (const task of tasks) {
    if (activations.includes(task.op.name) && uses.get(task.inputs[0]!) === 1) activationOf.set(task.inputs[0]!, task)
  }
  const merged = new Set<Task>()
  const fused = tasks.map((task) => {
    const activation = activationOf.get(task.outputs[0]!)
    if (!activation || !producers.includes(task.op.name) || task.attributes.activation !== 'linear') return task
    merged.add(activation)
    return {
      ...task,
      attributes: { ...task.attributes, ...activation.attributes, activation: activation.op.name },
      outputs: [activation.outputs[0], ...task.outputs.slice(1)],
    }
  })
  return fused.filter((task) => !merged.has(task))
}
