import type { Operand, Step } from '../../binding'
import { ConvlaneError } from '../errors'
import { apply } from '../graph/apply'
import type { Value } from '../graph/value'
import { fillValue } from '../ops/fill'
import type { Attributes } from '../ops/op'
import { scaleOp } from '../ops/scale'
import { align, sameShape, shapeText } from '../shape'
import type { Following, Updates } from './compile'
import { type StateEntry, type StateLayout, stateEntry } from './state-layout'
import { isComputed, rootOf } from './task'

/** The gradient of one parameter within its group. */
export interface GroupMember {
  readonly entry: StateEntry
  /** The root to be computed into the group's block. */
  readonly root: Value
  /** Within the block. */
  readonly offset: number
}

/** Parameters next to each other in the state and updated alike, whose gradients lie next to each other likewise: one update step. */
export interface GradientGroup {
  /** Of the first parameter, in the state. */
  readonly start: number
  readonly elements: number
  readonly members: readonly GroupMember[]
  /** What is different from the optimizer's attributes. */
  readonly attributes: Attributes
}

/** Cuts the updated parameters into groups, and sees to it that each has a gradient of its own that a step writes. */
export function groupGradients(updates: Updates | undefined, layout: StateLayout): GradientGroup[] {
  if (!updates) return []
  for (const name of updates.gradients.keys()) stateEntry(layout, name)
  const { optimizer, accumulate, follow } = updates
  for (const slot of [...(accumulate ? [accumulate.slot] : optimizer.slots), ...(follow ? [follow.slot] : [])]) {
    if (layout.slots[slot] !== undefined) continue
    throw new ConvlaneError('INVALID_ARGUMENT', `the state has no optimizer slot "${slot}"`, {
      expected: Object.keys(layout.slots),
      received: slot,
    })
  }

  const taken = new Set<Value>()
  const groups: { start: number; elements: number; members: GroupMember[]; attributes: Attributes }[] = []
  for (const entry of layout.parameters) {
    if (!updates.gradients.has(entry.name)) continue
    const root = ownRoot(updates.gradients.get(entry.name), entry, taken)
    taken.add(root)
    const attributes = optimizer.attributesOf?.(entry.name) ?? {}
    let group = groups.at(-1)
    const isAlike = group && JSON.stringify(group.attributes) === JSON.stringify(attributes)
    if (!group || !isAlike || group.start + group.elements !== entry.offset) {
      group = { start: entry.offset, elements: 0, members: [], attributes }
      groups.push(group)
    }
    group.members.push({ entry, root, offset: entry.offset - group.start })
    group.elements += align(entry.elements)
  }
  return groups
}

function ownRoot(gradient: Value | undefined, entry: StateEntry, taken: ReadonlySet<Value>): Value {
  if (!gradient) return fillValue(entry.shape, 0)
  if (!sameShape(gradient.shape, entry.shape)) {
    const message = `parameter "${entry.name}" has shape ${shapeText(entry.shape)}, its gradient ${shapeText(gradient.shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: entry.shape, received: gradient.shape })
  }
  const root = rootOf(gradient)
  return isComputed(root) && !taken.has(root) ? root : copyOf(gradient)
}

/** A value with the same elements that a step writes. */
export function copyOf(value: Value): Value {
  return apply(scaleOp, [value, undefined], { factor: 1 })[0]!
}

/**
 * The step that clears the last 16 elements of a gradient whose size isn't a multiple of 16, before the gradient is written: what lies between
 * parameters takes part in the update, and must not be whatever was in the arena.
 */
export function clearGap({ entry }: GroupMember, offset: number): Step | undefined {
  if (entry.elements % 16 === 0) return undefined
  const block = offset + Math.floor(entry.elements / 16) * 16
  return { op: 'fill', value: 0, y: { space: 'arena', offset: block, dtype: 'float32', shape: [16], batched: false } }
}

/** The optimizer's step over a group, whose gradients lie at `offset` of the arena; or the one that takes them into a slot. */
export function updateStep(group: GradientGroup, offset: number, { optimizer, accumulate }: Updates, layout: StateLayout): Step {
  const range = { dtype: 'float32', shape: [group.elements], batched: false } as const
  const grad: Operand = { space: 'arena', offset, ...range }
  if (accumulate) {
    const { slot, share } = accumulate
    return { op: 'movingAverage', param: { space: 'state', offset: layout.slots[slot]! + group.start, ...range }, value: grad, share }
  }
  const slots = optimizer.slots.map((slot) => [slot, { space: 'state', offset: layout.slots[slot]! + group.start, ...range }] as const)
  return {
    op: optimizer.op,
    ...optimizer.attributes,
    ...group.attributes,
    param: { space: 'state', offset: group.start, ...range },
    ...Object.fromEntries(slots),
    grad,
  }
}

/** Brings a parameter to where its constraint has it. */
export function constrainStep({ parameter, attributes }: { parameter: string; attributes: Attributes }, layout: StateLayout): Step {
  const { offset, shape } = stateEntry(layout, parameter)
  return { op: 'constrain', param: { space: 'state', offset, dtype: 'float32', shape, batched: false }, ...attributes }
}

/** Takes the trained parameters into a slot. */
export function followStep({ slot, share }: Following, { slots, trainedElements }: StateLayout): Step | undefined {
  if (trainedElements === 0) return undefined
  const range = { dtype: 'float32', shape: [trainedElements], batched: false } as const
  return {
    op: 'movingAverage',
    param: { space: 'state', offset: slots[slot]!, ...range },
    value: { space: 'state', offset: 0, ...range },
    share,
  }
}
