import { apply } from '../graph/apply'
import type { Value } from '../graph/value'
import { reluBackwardOp } from '../ops/relu'
import { sameShape } from '../shape'
import { rootOf, type Task, usesOf } from './task'

const pooling = /^maxPool[123]dBackward$/

/**
 * Saves passes over memory in the gradients of activations:
 *
 * - that of relu after batch normalization is taken within the normalization's own gradient, which knows from its input where relu's result is positive;
 * - that of relu before max pooling is taken on what pooling left, a fraction of the size, and then goes through pooling: what arrives at a pixel comes from
 *   windows whose maximum it is;
 * - a sum of two gradients that arrive at an activation is made within its own gradient.
 */
export function mergeGradients(tasks: readonly Task[], kept: readonly Value[]): Task[] {
  return sumsOfActivations(relusOfPooling(relusOfNormalization(tasks, kept), kept), kept)
}

/** The task that computes each value. */
const producersOf = (tasks: readonly Task[]) =>
  new Map(tasks.flatMap((task) => task.outputs.flatMap((output) => (output ? [[output, task] as const] : []))))

/** Tasks by the one that they stand in for: none where it goes. */
const replaced = (tasks: readonly Task[], by: ReadonlyMap<Task, readonly Task[]>) => tasks.flatMap((task) => by.get(task) ?? [task])

function relusOfNormalization(tasks: readonly Task[], kept: readonly Value[]): Task[] {
  const [producers, uses] = [producersOf(tasks), usesOf(tasks, kept)]
  const changes = new Map<Task, readonly Task[]>()
  for (const task of tasks) {
    if (task.op.name !== 'batchNormBackward' || task.attributes.activation !== 'linear') continue
    const [dy, x, mean, variance, gamma] = task.inputs
    const relu = producers.get(dy!)
    const norm = relu?.op.name === 'reluBackward' && uses.get(dy!) === 1 ? producers.get(relu.inputs[1]!) : undefined
    if (norm?.op.name !== 'batchNorm' || norm.attributes.activation !== 'relu') continue
    if (norm.inputs[3] || norm.inputs[0] !== x || norm.outputs[1] !== mean || norm.outputs[2] !== variance) continue
    changes.set(relu!, [])
    const inputs = [relu!.inputs[0], x, mean, variance, gamma, norm.inputs[2]]
    changes.set(task, [{ ...task, inputs, attributes: { ...task.attributes, activation: 'relu' } }])
  }
  return replaced(tasks, changes)
}

function relusOfPooling(tasks: readonly Task[], kept: readonly Value[]): Task[] {
  const [producers, uses] = [producersOf(tasks), usesOf(tasks, kept)]
  const changes = new Map<Task, readonly Task[]>()
  for (const task of tasks) {
    if (task.op.name !== 'reluBackward') continue
    const [dy, y] = task.inputs
    const backward = producers.get(dy!)
    if (!backward || !pooling.test(backward.op.name) || uses.get(dy!) !== 1) continue
    const [pooledGradient, positions] = backward.inputs
    const forward = producers.get(positions!)
    if (forward?.inputs[0] !== y) continue
    const masked = apply(reluBackwardOp, [pooledGradient, forward!.outputs[0], undefined])[0]!
    changes.set(task, [])
    changes.set(backward, [
      { ...task, inputs: [pooledGradient, forward!.outputs[0], undefined], outputs: [masked] },
      { ...backward, inputs: [masked, positions], outputs: task.outputs },
    ])
  }
  return replaced(tasks, changes)
}

function sumsOfActivations(tasks: readonly Task[], kept: readonly Value[]): Task[] {
  const [producers, uses] = [producersOf(tasks), usesOf(tasks, kept)]
  const changes = new Map<Task, readonly Task[]>()
  for (const task of tasks) {
    const [dy, from, also] = task.inputs
    const sum = task.op.inputs[2] === 'also?' && !also && uses.get(dy!) === 1 ? producers.get(dy!) : undefined
    if (sum?.op.name !== 'add' || sum.attributes.activation !== 'linear') continue
    if (!sum.inputs.every((part) => sameShape(part!.shape, dy!.shape))) continue
    changes.set(sum, [])
    changes.set(task, [{ ...task, inputs: [sum.inputs[0], from, sum.inputs[1]] }])
  }
  return replaced(tasks, changes)
}

/**
 * The gradient of a bias before max pooling is the sum of what arrives at the windows, each of which hands its own to one pixel: the same but for rounding,
 * and there are fewer of them.
 */
export function sumWindows(tasks: readonly Task[]): Task[] {
  const producers = producersOf(tasks)
  return tasks.map((task) => {
    const backward = task.op.name === 'biasGradient' ? producers.get(task.inputs[0]!) : undefined
    return backward && pooling.test(backward.op.name) ? { ...task, inputs: [backward.inputs[0]] } : task
  })
}

const filterGradient = /^conv[123]dBackwardWeights$/

/**
 * The gradient of a bias is summed up by the step that reads the same for the gradient of the filters, in one pass over memory. The step that does both takes the
 * place of the first of the two, where all that it reads is there by then.
 */
export function mergeBiases(tasks: readonly Task[]): Task[] {
  const filters = new Map(tasks.flatMap((task) => (filterGradient.test(task.op.name) ? [[task.inputs[0]!, task] as const] : [])))
  const [producers, places] = [producersOf(tasks), new Map(tasks.map((task, place) => [task, place]))]
  const placeOf = (task: Task | undefined) => (task ? places.get(task)! : -1)
  const changes = new Map<Task, readonly Task[]>()
  for (const bias of tasks) {
    const both = bias.op.name === 'biasGradient' ? filters.get(bias.inputs[0]!) : undefined
    if (!both || both.outputs[1] || changes.has(both)) continue
    const [first, second] = placeOf(both) < placeOf(bias) ? [both, bias] : [bias, both]
    if (placeOf(producers.get(rootOf(both.inputs[1]!))) > placeOf(first)) continue
    changes.set(second, [])
    changes.set(first, [{ ...both, outputs: [both.outputs[0], bias.outputs[0]] }])
  }
  return replaced(tasks, changes)
}
