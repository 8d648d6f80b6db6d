import type { Step } from '../../binding'
import { ConvlaneError } from '../errors'
import { apply } from '../graph/apply'
import type { Value } from '../graph/value'
import { fillValue } from '../ops/fill'
import { scaleOp } from '../ops/scale'
import { align, sameShape, shapeText } from '../shape'
import type { Updates } from './compile'
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

/** Parameters next to each other in the state, whose gradients lie next to each other likewise: one update step. */
export interface GradientGroup {
  /** Of the first parameter, in the state. */
  readonly start: number
  readonly elements: number
  readonly members: readonly GroupMember[]
}

/** Cuts the updated parameters into groups, and sees to it that each has a gradient of its own that a step writes. */
export function groupGradients(updates: Updates | undefined, layout: StateLayout): GradientGroup[] {
  if (!updates) return []
  for (const name of updates.gradients.keys()) stateEntry(layout, name)
  for (const slot of updates.optimizer.slots) {
    if (layout.slots[slot] !== undefined) continue
    throw new ConvlaneError('INVALID_ARGUMENT', `the state has no optimizer slot "${slot}"`, {
      expected: Object.keys(layout.slots),
      received: slot,
    })
  }

  const taken = new Set<Value>()
  const groups: { start: number; elements: number; members: GroupMember[] }[] = []
  for (const entry of layout.parameters) {
    if (!updates.gradients.has(entry.name)) continue
    const root = ownRoot(updates.gradients.get(entry.name), entry, taken)
    taken.add(root)
    let group = groups.at(-1)
    if (!group || group.start + group.elements !== entry.offset) {
      group = { start: entry.offset, elements: 0, members: [] }
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

/** The optimizer's step over a group, whose gradients lie at `offset` of the arena. */
export function updateStep(group: GradientGroup, offset: number, optimizer: Updates['optimizer'], layout: StateLayout): Step {
  const range = { dtype: 'float32', shape: [group.elements], batched: false } as const
  const slots = optimizer.slots.map((slot) => [slot, { space: 'state', offset: layout.slots[slot]! + group.start, ...range }] as const)
  return {
    op: optimizer.op,
    ...optimizer.attributes,
    param: { space: 'state', offset: group.start, ...range },
    ...Object.fromEntries(slots),
    grad: { space: 'arena', offset, ...range },
  }
}
