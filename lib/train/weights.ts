import { invalid } from '../check'
import type { End } from '../model/architecture'
import { checkNumber, shapeText } from '../shape'
import { checkArray } from '../tensor'
import type { Column } from './data'
import { firstLargest } from './largest'
import type { Objective } from './objective'

/** What weights are for. */
interface Weighted {
  readonly n: number
  readonly y: readonly Column[]
  readonly ends: readonly End[]
  readonly label: string
  readonly classWeight: readonly number[] | undefined
}

/** The samples' weights for each output, class weights included. Throws INVALID_ARGUMENT, INVALID_TENSOR, INVALID_SHAPE, INVALID_DTYPE. */
export function weightsOf(given: unknown, weighted: Weighted): (Float32Array | undefined)[] {
  const { n, y, ends, label, classWeight } = weighted
  const each = perOutput(given, ends, label)
  return ends.map((end, index) => {
    const what = ends.length > 1 ? `sampleWeight of "${end.name}"` : 'sampleWeight'
    const own = each[index] === undefined ? undefined : vectorOf(each[index], n, label, what)
    if (!classWeight) return own
    const classOf = classesIn(y[index]!)
    return Float32Array.from({ length: n }, (_, row) => (own?.[row] ?? 1) * (classWeight[classOf(row)] ?? 1))
  })
}

const isVector = (value: unknown) =>
  ArrayBuffer.isView(value) ||
  (Array.isArray(value) && value.every((item) => typeof item === 'number')) ||
  (typeof value === 'object' && value !== null && 'data' in value)

function perOutput(given: unknown, ends: readonly End[], label: string): readonly unknown[] {
  if (given === undefined || isVector(given)) return ends.map(() => given)
  const names = ends.map(({ name }) => name)
  const expected = `numbers, one for each sample${ends.length > 1 ? `, or such for ${names.join(', ')}` : ''}`
  if (typeof given !== 'object' || given === null) throw invalid(label, 'sampleWeight', expected, given)
  if (Array.isArray(given)) {
    if (given.length === ends.length) return given
    throw invalid(label, 'sampleWeight', expected, given)
  }
  if (Object.keys(given).some((key) => !names.includes(key))) throw invalid(label, 'sampleWeight', expected, given)
  return names.map((name) => (given as Record<string, unknown>)[name])
}

function vectorOf(value: unknown, n: number, label: string, what: string): Float32Array {
  if (!isVector(value)) throw invalid(label, what, 'numbers, one for each sample', value)
  const isPlain = Array.isArray(value) || ArrayBuffer.isView(value)
  const numbers = Array.isArray(value) ? Float32Array.from(value as number[]) : value
  const tensor = isPlain ? { shape: [(numbers as Float32Array).length], data: numbers } : value
  const { shape, data } = checkArray(tensor, label, what, ['Float32Array'])
  if (shape.length !== 1 || shape[0] !== n) {
    throw invalid(label, what, `${n} numbers, one for each sample`, shapeText(shape))
  }
  for (let row = 0; row < n; row++)
    if (!(data[row]! >= 0 && data[row]! < Number.POSITIVE_INFINITY)) checkNumber(data[row], label, `${what} at ${row}`, { low: 0 })
  return data as Float32Array
}

/** The class of each row: its number, the first maximum of its targets, or the side of ½ that its one target is on. */
function classesIn({ form, data }: Column): (row: number) => number {
  if (form.dtype === 'int32') return (row) => data[row]!
  const columns = form.shape[0] ?? 1
  if (columns === 1) return (row) => (data[row]! > 0.5 ? 1 : 0)
  return (row) => firstLargest(data.subarray(row * columns, (row + 1) * columns))
}

/** `fit`'s class weights by class number, those that are not given 1. Throws INVALID_ARGUMENT. */
export function checkClassWeight(given: unknown, { outputs }: Objective): number[] | undefined {
  if (given === undefined) return undefined
  const [{ end }] = outputs as readonly [Objective['outputs'][number]]
  if (outputs.length > 1)
    throw invalid('fit', 'classWeight', 'left out for a model of several outputs (sampleWeight has weights for each)', given)
  if (end.shape.length > 1) throw invalid('fit', 'classWeight', `left out where the output is no row of classes`, given)
  const isArray = Array.isArray(given) || ArrayBuffer.isView(given)
  if (typeof given !== 'object' || given === null || (!isArray && Symbol.iterator in given))
    throw invalid('fit', 'classWeight', 'an array of numbers, or an object of numbers by class', given)
  const classes = Math.max(2, end.shape[0] ?? 1)
  const weights = new Array<number>(classes).fill(1)
  if (isArray && (given as readonly number[]).length !== classes)
    throw invalid('fit', 'classWeight', `${classes} numbers, one for each class`, given)
  for (const [key, weight] of Object.entries(given)) {
    const k = weights.findIndex((_, index) => String(index) === key)
    if (k < 0) throw invalid('fit', 'classWeight', `numbers by class, 0 to ${classes - 1}`, key)
    weights[k] = checkNumber(weight, 'fit', `classWeight[${key}]`, { low: 0 })
  }
  return weights
}
