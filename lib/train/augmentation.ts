import { augmentAttributes, mixupAttributes, streamsOf } from '../augment/attributes'
import { checkTransformations, type MixupTransformation, type Transformation } from '../augment/transformations'
import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import type { InputEnd } from '../model/architecture'
import { augmentOp } from '../ops/augment'
import type { PreparationStep, Prepared } from '../program/preparation'
import type { Form } from './data'
import type { Objective } from './objective'

/** `fit`'s option `augment`: a list for a model of one input; else lists by the inputs' names, those that are left out stay as they are. */
export type Augment = readonly Transformation[] | Readonly<Record<string, readonly Transformation[]>>

/** What is done to each input of a model, in their order. Plain data. */
export type Augmentation = readonly (readonly Transformation[])[]

const mixupOf = (lists: Augmentation): MixupTransformation | undefined => {
  const last = lists[0]?.at(-1)
  return last?.kind === 'mixup' ? last : undefined
}

/** Checks the option against a model's ends; nothing where it changes nothing. Throws INVALID_ARGUMENT, INVALID_SHAPE. */
export function checkAugment(option: unknown, inputs: readonly InputEnd[], objective: Objective): Augmentation | undefined {
  if (option === undefined) return undefined
  const label = 'fit: augment'
  const lists = listsOf(option, inputs, label).map((list) => checkTransformations(list, label))
  lists.forEach((list, index) => {
    const { name, shape } = inputs[index]!
    const images = list.filter(({ kind }) => kind !== 'mixup')
    const what = inputs.length > 1 ? `${label} of "${name}"` : label
    if (images.length > 0) augmentOp.infer([{ shape: [null, ...shape], dtype: 'float32' }], augmentAttributes(images, false), what)
  })
  if (lists.some((list) => list.at(-1)?.kind === 'mixup')) {
    if (inputs.length > 1)
      throw new ConvlaneError('INVALID_ARGUMENT', `${label}: mixup takes models of one input`, { received: inputs.length })
    for (const { end, loss } of objective.outputs) {
      if (loss.ignoreLabel !== undefined || loss.name === 'hinge') {
        const message = `${label}: mixup takes labels that can be mixed: no ignored label and no hinge, as the loss of "${end.name}" has`
        throw new ConvlaneError('INVALID_ARGUMENT', message, { received: loss.options })
      }
      if (loss.targets !== 'classes' || end.shape.at(-1)! > 1) continue
      throw new ConvlaneError('INVALID_SHAPE', `${label}: mixup needs two classes or more, "${end.name}" gives one`, {
        received: end.shape,
      })
    }
  }
  return lists.some((list) => list.length > 0) ? lists : undefined
}

function listsOf(option: unknown, inputs: readonly InputEnd[], label: string): unknown[] {
  const names = inputs.map(({ name }) => name)
  if (Array.isArray(option)) {
    if (inputs.length === 1) return [option]
    throw invalid(label, 'transformations', `given by the names of inputs: ${names.join(', ')}`, option)
  }
  if (typeof option !== 'object' || option === null) throw invalid('fit', 'augment', 'an array of transformations', option)
  checkOptions(label, option, names)
  return names.map((name) => (option as Record<string, unknown>)[name] ?? [])
}

/** A batch's arrays before and after: forms as a program reads them, and how they come about. */
export interface Preparation {
  readonly x: readonly Form[]
  readonly y: readonly Form[]
  readonly given: readonly Prepared[]
}

/** What becomes of the arrays of a batch. `classes`: of each output, for targets that are class numbers; `weights`: how many of the samples' weights there are. */
export function preparationOf(
  lists: Augmentation,
  x: readonly Form[],
  y: readonly Form[],
  classes: readonly number[],
  weights: number,
): Preparation {
  const mixed = mixupOf(lists)
  const stream = streamsOf(lists.flat())
  let first = 0
  const inputs = x.map((form, index) => {
    const list = lists[index]!.filter(({ kind }) => kind !== 'mixup')
    const { dtype, shape } = form
    const steps: PreparationStep[] = []
    if (list.length > 0) steps.push({ op: 'augment', from: 'x', attributes: augmentAttributes(list, dtype === 'uint8', first), shape })
    else if (mixed && dtype === 'uint8') steps.push({ op: 'cast', from: 'x', attributes: { to: 'float32' }, shape })
    if (mixed) steps.push({ op: 'mixup', from: 'x', attributes: mixupAttributes(mixed, stream), shape })
    first += streamsOf(list)
    const prepared: Form = steps.length > 0 ? { ...form, dtype: 'float32' } : form
    return { form: prepared, given: { dtype, shape, steps } }
  })
  const targets = y.map((form, index) => {
    const { dtype, shape } = form
    if (!mixed) return { form, given: { dtype, shape, steps: [] } }
    const sizes = dtype === 'int32' ? [classes[index]!] : shape
    const mix: PreparationStep = { op: 'mixup', from: 'x', attributes: mixupAttributes(mixed, stream), shape: sizes }
    const prepared: Form = { dtype: 'float32', shape: sizes }
    if (dtype !== 'int32') return { form: prepared, given: { dtype, shape, steps: [mix] } }
    // Of one output the number is the target.
    const isNumber = classes[index] === 1
    const number: PreparationStep = { op: 'cast', from: 'x', attributes: { to: 'float32' }, shape: sizes }
    const distribution: PreparationStep = { op: 'oneHot', from: 'indices', attributes: {}, shape: sizes }
    return { form: prepared, given: { dtype, shape: isNumber ? sizes : shape, steps: [isNumber ? number : distribution, mix] } }
  })
  const mixing: PreparationStep[] = mixed ? [{ op: 'mixup', from: 'x', attributes: mixupAttributes(mixed, stream), shape: [] }] : []
  const weighed = Array.from({ length: weights }, (): Prepared => ({ dtype: 'float32', shape: [], steps: mixing }))
  return {
    x: inputs.map(({ form }) => form),
    y: targets.map(({ form }) => form),
    given: [...[...inputs, ...targets].map(({ given }) => given), ...weighed],
  }
}
