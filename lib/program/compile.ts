import type { Operand, ProgramSpec, Step } from '../../binding'
import { ConvlaneError } from '../errors'
import type { Value } from '../graph/value'
import type { Attributes } from '../ops/op'
import { inputNames, makeStep } from '../ops/step'
import { checkInteger, elementCount, MAX_ELEMENTS, sameShape, shapeText } from '../shape'
import { placeApart, placeBlocks } from './arena'
import { foldNormalizations } from './fold'
import { fuseActivations, fuseResiduals } from './fuse'
import { mergeBiases, mergeGradients, sumWindows } from './gradients'
import { findBlocks, type Place } from './liveness'
import { splitPrelude } from './prelude'
import { schedule } from './schedule'
import { type StateLayout, stateEntry } from './state-layout'
import { isComputed, rootOf, rootsRead, type Task } from './task'
import { collectTasks } from './tasks'
import { clearGap, constrainStep, copyOf, followStep, groupGradients, updateStep } from './updates'

/** One optimizer update over parameters, run after everything else under the state's write lock. */
export interface Updates {
  /**
   * Gradient of the loss by parameter name (`gradients` of lib/graph/gradients.ts gives them). A parameter that is not in the map is
   * frozen: nothing touches it. `undefined`: the loss doesn't depend on it; its gradient is zero (weight decay and momentum still act).
   */
  readonly gradients: ReadonlyMap<string, Value | undefined>
  /** Outputs, by number, without which being finite nothing is updated. */
  readonly guards?: readonly number[]
  /** `slots` are operand names of the step (`['velocity']` or `[]` for sgd, `['m', 'v']` for adam), and names of slots of the layout. */
  readonly optimizer: {
    readonly op: string
    readonly attributes: Attributes
    readonly slots: readonly string[]
    /** What is different for a parameter. */
    readonly attributesOf?: (parameter: string) => Attributes
  }
  /** Instead of the update: a slot follows the gradients. */
  readonly accumulate?: Following
  /** What parameters are brought to after the update: attributes of the step `constrain`. */
  readonly constraints?: readonly { readonly parameter: string; readonly attributes: Attributes }[]
  /** A slot that follows the trained parameters, as they are after everything else. */
  readonly follow?: Following | undefined
  /** Statistics that follow what the step has found, in this order: after it the parameter is momentum · itself + (1 − momentum) · value. */
  readonly averages?: readonly Average[]
}

/** A slot that a step takes something into, by the share that a scalar of the run says. */
export interface Following {
  readonly slot: string
  /** Name of the scalar. */
  readonly share: string
}

export interface Average {
  readonly parameter: string
  readonly value: Value
  readonly momentum: number
}

export interface CompileOptions {
  /** The values that the inputs of `run` are bound to, in that order: of `inputValue`. Labels and targets too. May hold some that nothing reads. */
  readonly inputs: readonly Value[]
  /** What `run` gives back, in order. */
  readonly outputs: readonly Value[]
  readonly updates?: Updates | undefined
  /** Where the values of `parameterValue` lie. A program that reads no parameter takes `stateLayout([])`. */
  readonly layout: StateLayout
  /** Largest batch size. */
  readonly capacity: number
  readonly lane: 'train' | 'infer'
  /** Passes to leave out, to find one that is wrong: the result is the same without them, in more memory and time. Default: all are on. */
  readonly passes?: {
    /** Weights take up the normalization that follows, in programs without updates; the result differs by rounding. */
    readonly fold?: boolean
    /** Activations and residual connections take place in the step before them, and gradients of activations and biases in other gradients where that saves a pass over memory. */
    readonly fuse?: boolean
    /** Biases before max pooling sum what the windows get; the result differs by rounding. */
    readonly sums?: boolean
    /** What depends on the weights alone runs when these have changed, in programs without updates. */
    readonly prelude?: boolean
    readonly order?: boolean
    readonly inPlace?: boolean
    readonly share?: boolean
  }
}

export interface CompiledProgram {
  readonly spec: ProgramSpec
  /** The name of the layer that each step of `spec.steps` comes from, where there is one. */
  readonly labels: readonly (string | undefined)[]
}

/**
 * Compiles the outputs, and updates if any, into a flat list of steps over one arena: what nothing reads is left out, reshapes become
 * aliases, normalizations by known statistics are folded into weights, single-use activations are fused, gradients of activations merged, elementwise results overwrite inputs that die, and memory is shared by liveness.
 *
 * Throws `INVALID_ARGUMENT` for a capacity that isn't a positive integer, an input or parameter that isn't declared, and an update of a
 * parameter or slot that the layout doesn't have; `INVALID_SHAPE` when a gradient's shape isn't its parameter's; `OUT_OF_MEMORY` for an arena of more
 * than 2⁴⁰ elements.
 */
export function compileProgram({ inputs, outputs, updates, layout, capacity, lane, passes = {} }: CompileOptions): CompiledProgram {
  checkInteger(capacity, 'program', 'capacity')
  const { fold = true, fuse = true, sums = true, prelude: once = true, order = true, inPlace = true, share = true } = passes
  const place = share ? placeBlocks : placeApart

  const groups = groupGradients(updates, layout)
  const gradientRoots = groups.flatMap(({ members }) => members.map(({ root }) => root))
  const results = outputs.map((output) => (isComputed(rootOf(output)) ? output : copyOf(checkCopied(output))))
  const averages = checkAverages(updates?.averages ?? [], layout)
  const kept = [...results, ...gradientRoots, ...averages.map(({ value }) => value)]

  let tasks = collectTasks(kept)
  if (fold && !updates) tasks = foldNormalizations(tasks, kept)
  if (fuse) tasks = mergeGradients(fuseResiduals(fuseActivations(tasks, kept), kept), kept)
  if (sums) tasks = sumWindows(tasks)
  if (fuse) tasks = mergeBiases(tasks)
  const { prelude, main } = once && !updates ? splitPrelude(tasks, kept) : { prelude: [], main: tasks }
  const left = new Set(prelude.flatMap(({ outputs }) => outputs.flatMap((output) => output ?? [])))
  tasks = order ? schedule(main, kept, new Set([...gradientRoots, ...left]), capacity) : main

  const readLater = new Set(main.flatMap((task) => [...rootsRead(task)]).filter((root) => left.has(root)))
  const { places: keptPlaces } = findBlocks(prelude, [...readLater], [], { capacity, inPlace })
  const { offsets: keptOffsets, elements: keptElements } = place([...new Set([...keptPlaces.values()].map(({ block }) => block))])

  const { places, groupBlocks } = findBlocks(tasks, kept, groups, { capacity, inPlace })
  const blocks = [...new Set([...groupBlocks.values(), ...[...places.values()].map(({ block }) => block)])]
  const { offsets, elements: arenaElements } = place(blocks)
  if (arenaElements + keptElements > MAX_ELEMENTS) {
    throw new ConvlaneError('OUT_OF_MEMORY', `program: a batch of ${capacity} needs more than 2^40 elements of memory`, {
      received: arenaElements,
    })
  }

  const addressIn = (place: Place, all: typeof offsets) => all.get(place.block)! + place.offset
  const emitter = new Emitter(inputs, layout, capacity, (root) => {
    const kept = keptPlaces.get(root)
    return kept
      ? { space: 'kept', offset: addressIn(kept, keptOffsets) }
      : { space: 'arena', offset: addressIn(places.get(root)!, offsets) }
  })
  for (const task of prelude) emitter.pushTask(task)
  const clears = new Map(groups.flatMap((group) => group.members.map((member) => [member.root, { group, member }] as const)))
  for (const task of tasks) {
    for (const output of task.outputs) {
      const gap = output && clears.get(output)
      if (gap) emitter.push(clearGap(gap.member, offsets.get(groupBlocks.get(gap.group)!)! + gap.member.offset))
    }
    emitter.pushTask(task)
  }
  const updateFrom = emitter.steps.length
  for (const group of groups) emitter.push(updateStep(group, offsets.get(groupBlocks.get(group)!)!, updates!, layout))
  for (const constraint of updates?.constraints ?? []) emitter.push(constrainStep(constraint, layout))
  for (const average of averages) emitter.pushAverage(average)
  if (updates?.follow) emitter.push(followStep(updates.follow, layout))

  const spec: ProgramSpec = {
    capacity,
    arenaElements,
    inputs: inputs.map(({ dtype, shape }) => ({ dtype, shape: shape.map((size) => size ?? capacity), batched: shape[0] === null })),
    outputs: results.map((output) => emitter.operand(output)),
    steps: emitter.steps,
    ...(prelude.length > 0 && { prelude: { steps: prelude.length, elements: keptElements } }),
    ...(emitter.steps.length > updateFrom ? { updateFrom, ...(updates?.guards && { guards: updates.guards }) } : {}),
    lane,
  }
  return { spec, labels: emitter.labels }
}

function checkCopied(output: Value): Value {
  if (output.dtype === 'float32') return output
  throw new ConvlaneError('UNSUPPORTED', `program: an input of ${output.dtype} cannot be an output`, { received: output.dtype })
}

/** Gives each statistic a value that a step computes. Throws as `compileProgram` does. */
function checkAverages(averages: readonly Average[], layout: StateLayout): Average[] {
  return averages.map((average) => {
    const { parameter, value } = average
    const { shape } = stateEntry(layout, parameter)
    if (!sameShape(shape, value.shape)) {
      const message = `parameter "${parameter}" has shape ${shapeText(shape)}, what it is to follow ${shapeText(value.shape)}`
      throw new ConvlaneError('INVALID_SHAPE', message, { expected: shape, received: value.shape })
    }
    return isComputed(rootOf(value)) ? average : { ...average, value: copyOf(value) }
  })
}

/** Writes steps with addresses. */
class Emitter {
  readonly steps: Step[] = []
  readonly labels: (string | undefined)[] = []

  constructor(
    private readonly inputs: readonly Value[],
    private readonly layout: StateLayout,
    private readonly capacity: number,
    private readonly placeOf: (root: Value) => Pick<Operand, 'space' | 'offset'>,
  ) {}

  push(step: Step | undefined, label?: string): void {
    if (!step) return
    this.steps.push(step)
    this.labels.push(label)
  }

  pushTask({ op, attributes, inputs, outputs, label }: Task): void {
    const names = [...inputNames(op, inputs.length), ...op.outputs]
    const operands = [...inputs, ...outputs].flatMap((value, index) => (value ? [[names[index]!, this.operand(value)] as const] : []))
    this.push(makeStep(op, attributes, Object.fromEntries(operands)), label)
  }

  pushAverage({ parameter, value, momentum }: Average): void {
    const { shape, offset } = stateEntry(this.layout, parameter)
    const param: Operand = { space: 'state', offset, dtype: 'float32', shape, batched: false }
    this.push({ op: 'movingAverage', param, value: this.operand(value), momentum })
  }

  operand(value: Value): Operand {
    elementCount(value.shape, 'program', this.capacity)
    const shape = value.shape.map((size) => size ?? this.capacity)
    return { ...this.address(rootOf(value)), dtype: value.dtype, shape, batched: value.shape[0] === null }
  }

  private address(root: Value): Pick<Operand, 'space' | 'offset'> {
    if (isComputed(root)) return this.placeOf(root)
    const source = root.origin as { kind: 'input' | 'state'; name: string }
    if (source.kind === 'state') {
      const { shape, offset } = stateEntry(this.layout, source.name)
      if (sameShape(shape, root.shape)) return { space: 'state', offset }
      const message = `parameter "${source.name}" has shape ${shapeText(shape)} in the state, ${shapeText(root.shape)} in the graph`
      throw new ConvlaneError('INVALID_SHAPE', message, { expected: shape, received: root.shape })
    }
    const index = this.inputs.indexOf(root)
    if (index >= 0) return { space: 'input', offset: index }
    throw new ConvlaneError('INVALID_ARGUMENT', `program: input "${source.name}" is not among its inputs`, { received: source.name })
  }
}
