import type { Value } from '../graph/value'
import { add } from '../ops/add'
import { div, sub } from '../ops/arithmetic'
import { broadcastTo } from '../ops/broadcastTo'
import { multiply } from '../ops/multiply'
import { reshape } from '../ops/reshape'
import { transpose } from '../ops/transpose'
import { sqrt } from '../ops/unary'
import { constantRoots } from './prelude'
import { isConstant, type Task, usesOf } from './task'
import { collectTasks } from './tasks'

/** What computes each channel of its result as a sum of products with weights of its own. */
const producers = /^(conv[123]d|convTranspose[123]d|dense)$/

/**
 * Merges a normalization by known statistics into the convolution or dense layer before it, where nothing else reads what that gives: its weights are scaled
 * and its bias moved by steps that read parameters only. The result is the same but for rounding.
 */
export function foldNormalizations(tasks: readonly Task[], kept: readonly Value[]): Task[] {
  const uses = usesOf(tasks, kept)
  const constants = constantRoots(tasks, kept)
  const producer = new Map<Value, Task>()
  const present = new Set<Value>(tasks.flatMap(({ outputs }) => outputs.flatMap((output) => output ?? [])))
  const folded: Task[] = []
  for (const task of tasks) {
    const before = task.op.name === 'batchNormInference' ? producer.get(task.inputs[0]!) : undefined
    const fits =
      before?.attributes.activation === 'linear' &&
      uses.get(task.inputs[0]!) === 1 &&
      [...task.inputs.slice(1), ...before.inputs.slice(1)].every((value) => value === undefined || isConstant(value, constants))
    if (before && fits) {
      folded.splice(folded.indexOf(before), 1)
      const { w, bias } = scaled(before, task)
      for (const made of collectTasks([w, bias])) {
        if (present.has(made.outputs[0]!)) continue
        folded.push(made)
        for (const output of made.outputs) if (output) constants.add(output)
        present.add(made.outputs[0]!)
      }
      const { activation } = task.attributes
      const merged: Task = {
        ...before,
        attributes: { ...before.attributes, activation: activation! },
        inputs: [before.inputs[0], w, bias],
        outputs: task.outputs,
      }
      folded.push(merged)
      producer.set(task.outputs[0]!, merged)
      continue
    }
    folded.push(task)
    if (producers.test(task.op.name)) producer.set(task.outputs[0]!, task)
  }
  return folded
}

/** Weights and bias of the convolution or dense layer whose result is the normalization's. */
function scaled({ op, attributes, inputs, label: name }: Task, norm: Task): { w: Value; bias: Value } {
  const [, w, bias] = inputs
  const [, mean, variance, gamma, beta] = norm.inputs
  const options = { name }
  const scale = div(gamma ?? 1, sqrt(add(variance!, norm.attributes.epsilon as number, options), options), options) as Value
  const distance = multiply(bias ? sub(mean!, bias, options) : mean!, scale, options)
  const moved = sub(beta ?? 0, distance, options) as Value
  const factor = op.name.startsWith('convTranspose') ? ofTransposed(scale, w!, attributes.groups as number, options) : scale
  return { w: multiply(w!, factor, options), bias: moved }
}

/** One factor for each channel of the result, as weights `[…, OC/groups, C]` of a transposed convolution take it: the groups lie one after the other in C. */
function ofTransposed(scale: Value, w: Value, groups: number, options: { readonly name: string | undefined }): Value {
  const [each, channels] = w.shape.slice(-2) as [number, number]
  if (groups === 1) return reshape(scale, [each, 1], options)
  const byGroup = reshape(transpose(reshape(scale, [groups, each], options), [1, 0], options), [each, groups, 1], options)
  return reshape(broadcastTo(byGroup, [each, groups, channels / groups], options), [each, channels], options)
}
