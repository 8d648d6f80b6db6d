import { ConvlaneError } from '../errors'
import { align, elementCount } from '../shape'

/** A tensor in the state: a parameter, trained or a statistic. */
export interface StateEntry {
  readonly name: string
  readonly shape: readonly number[]
  /** First element within the state; a multiple of 16. */
  readonly offset: number
  readonly elements: number
}

/**
 * Where things lie in a model's state, in float32 elements: the parameters first, those that are trained before those that are not, otherwise in the order
 * given, each at a multiple of 16; then, for each optimizer slot (`velocity`; `m`, `v`), a range as long as that of the trained ones and laid out like it.
 * So a layout with slots begins as the one without them, and one optimizer step covers all parameters.
 */
export interface StateLayout {
  /** In the order given. */
  readonly parameters: readonly StateEntry[]
  /** Length of the parameters' range, gaps included; a multiple of 16. */
  readonly parameterElements: number
  /** Length of the range of those that are trained. */
  readonly trainedElements: number
  /** First element of each slot's range. The slot of a parameter is at this plus the parameter's offset. */
  readonly slots: Readonly<Record<string, number>>
  /** Length of the whole state: what `createState` takes. At least 16. */
  readonly elements: number
}

/** Lays out a state. Throws `INVALID_ARGUMENT` when two parameters have one name. */
export function stateLayout(
  parameters: readonly { readonly name: string; readonly shape: readonly number[]; readonly trained?: boolean }[],
  slots: readonly string[] = [],
): StateLayout {
  const seen = new Set<string>()
  const entries: StateEntry[] = []
  const place = (trained: boolean, start: number): number =>
    parameters.reduce((end, { name, shape, trained: isTrained = true }, index) => {
      if (isTrained !== trained) return end
      if (seen.has(name)) throw new ConvlaneError('INVALID_ARGUMENT', `two parameters are named "${name}"`, { received: name })
      seen.add(name)
      const elements = elementCount(shape, `parameter "${name}"`)
      entries[index] = { name, shape, offset: end, elements }
      return align(end + elements)
    }, start)
  const trainedElements = place(true, 0)
  const end = place(false, trainedElements)
  return {
    parameters: entries,
    parameterElements: end,
    trainedElements,
    slots: Object.fromEntries(slots.map((slot, index) => [slot, end + trainedElements * index])),
    elements: Math.max(16, end + trainedElements * slots.length),
  }
}

/** The layout with a slot in the place of the trained parameters: for programs that read what the slot holds instead of the weights. */
export function slotLayout(layout: StateLayout, slot: string): StateLayout {
  const { parameters, trainedElements, slots } = layout
  const moved = (entry: StateEntry) => (entry.offset < trainedElements ? { ...entry, offset: entry.offset + slots[slot]! } : entry)
  return { ...layout, parameters: parameters.map(moved) }
}

/** The parameter of that name. Throws `INVALID_ARGUMENT` when there is none. */
export function stateEntry(layout: StateLayout, name: string): StateEntry {
  const entry = layout.parameters.find((parameter) => parameter.name === name)
  if (!entry) throw new ConvlaneError('INVALID_ARGUMENT', `the state has no parameter "${name}"`, { received: name })
  return entry
}
