import { invalid } from '../check'
import type { Dataset, Normalize, Samples } from '../data/dataset'
import { ConvlaneError } from '../errors'
import type { End, InputEnd } from '../model/architecture'
import { sameShape, shapeText } from '../shape'
import { type AnyTensor, checkArray, type Labels, type Tensor } from '../tensor'
import { type Objective, targetsOf } from './objective'
import { weightsOf } from './weights'

/** One for the only end of a model; for several ends an array in their order, or an object by their names. */
export type PerEnd<T> = T | readonly T[] | Readonly<Record<string, T>>

/** A weight for each sample: `[N]`. */
export type SampleWeights = Tensor | Float32Array | readonly number[]

/** Samples and what they should become: class numbers `[N]`, or float32 targets `[N, …]` (values, or a distribution over classes). */
export interface XY {
  /** Samples: bytes or float32, `[N, …]`. */
  readonly x: PerEnd<Samples>
  /** Targets, as many. */
  readonly y: PerEnd<Labels | Tensor>
  /**
   * How much each sample counts in the loss, at least 0: `[N]`, for every output; or for each output its own, in an array or an object (an output that is
   * left out has none). The loss is Σ weight · loss / Σ weight. Metrics are unweighted.
   */
  readonly sampleWeight?: PerEnd<SampleWeights | undefined>
  /** Names of the classes, by class number, for a model that has none: see {@link Model.classNames}. Default: none. */
  readonly classNames?: readonly string[]
  /** How bytes become what the network sees. Default: what the model was trained with, else scale 1/255. */
  readonly normalize?: Normalize
}

/** What `fit` and `evaluate` take: arrays, which must not change meanwhile; or batches of any sizes from an async iterable, read as they are needed. */
export type Data = Dataset | XY | AsyncIterable<XY>

/** Batches that may differ from epoch to epoch: `fit` asks for each epoch by its number, from 0, so that a run that is resumed goes on with the same ones. */
export interface EpochData extends AsyncIterable<XY> {
  /** Starts an epoch. */
  epoch(index: number): AsyncIterable<XY>
}

/** Bytes are scaled to 0 … 1 where nothing else is said. */
const unit: Normalize = { scale: 1 / 255, offset: 0 }

/** What a program needs to know of an array: its element type and the sizes of one sample. */
export interface Form {
  readonly dtype: 'float32' | 'int32' | 'uint8'
  readonly shape: readonly number[]
  /** Of bytes. */
  readonly normalize?: Normalize
}

/** One array of a batch or a data set. */
export interface Column {
  readonly form: Form
  readonly data: Float32Array | Int32Array | Uint8Array
}

/** Checked data: n samples, a column for each input of the model and each of its targets. */
export interface Table {
  readonly n: number
  readonly x: readonly Column[]
  readonly y: readonly Column[]
  /** Weights of the samples, for each output that has some. */
  readonly w: readonly (Float32Array | undefined)[]
}

/** Checks samples against a model's inputs. Throws INVALID_ARGUMENT, INVALID_TENSOR, INVALID_DTYPE, INVALID_SHAPE. `label`: the method. */
export function checkSamples(x: unknown, ends: readonly InputEnd[], label: string, normalize?: Normalize): { n: number; x: Column[] } {
  const given = perEnd(x, ends, label, 'x')
  let n = 0
  const columns = ends.map((end, index) => {
    const what = ends.length > 1 ? `x of "${end.name}"` : 'x'
    const { shape, data } = checkArray(given[index], label, what, ['Float32Array', 'Uint8Array'])
    if (index === 0) n = shape[0] ?? 0
    checkShape(shape, [n, ...end.shape], index > 0, label, what)
    const dtype: Form['dtype'] = data[Symbol.toStringTag] === 'Uint8Array' ? 'uint8' : 'float32'
    const form =
      dtype === 'uint8' ? { dtype, shape: end.shape, normalize: normalize ?? end.normalize ?? unit } : { dtype, shape: end.shape }
    return { form, data }
  })
  return { n, x: columns }
}

/**
 * Checks samples and targets. Class numbers are copied as int32, the rest is kept. `classWeight`: of each class, which goes into the samples' weights. Throws as
 * `checkSamples`, and INVALID_LABEL.
 */
export function checkData(
  data: XY,
  inputs: readonly InputEnd[],
  objective: Objective,
  label: string,
  classWeight?: readonly number[],
): Table {
  if (typeof data !== 'object' || data === null) throw invalid(label, 'data', '{ x, y } or an async iterable of such', data)
  const { n, x } = checkSamples(data.x, inputs, label, data.normalize)
  const ends = objective.outputs.map(({ end }) => end)
  const given = perEnd(data.y, ends, label, 'y')
  const y = objective.outputs.map((output, index): Column => {
    const what = ends.length > 1 ? `y of "${output.end.name}"` : 'y'
    const kinds = targetsOf(output)
    const classes = ['Float32Array', ...(kinds.values ? [] : ['Int32Array', 'Uint8Array'])] as (
      | 'Float32Array'
      | 'Int32Array'
      | 'Uint8Array'
    )[]
    const target = checkArray(given[index], label, what, classes)
    if (target.data[Symbol.toStringTag] === 'Float32Array') {
      const sizes = kinds.values || kinds.classes ? output.end.shape : target.shape.slice(1)
      checkShape(target.shape, [n, ...sizes], true, label, what)
      return { form: { dtype: 'float32', shape: sizes }, data: target.data }
    }
    checkShape(target.shape, [n], true, label, what)
    const count = output.end.shape.at(-1)!
    const limit = count === 1 && output.loss.targets !== 'classes' ? 2 : count
    return {
      form: { dtype: 'int32', shape: [] },
      data: labelsOf(target, kinds.classes ? limit : Number.POSITIVE_INFINITY, label, what, output.loss.ignoreLabel),
    }
  })
  return { n, x, y, w: weightsOf(data.sampleWeight, { n, y, ends, label, classWeight }) }
}

function labelsOf({ data }: AnyTensor, limit: number, label: string, what: string, ignored: number | undefined): Int32Array {
  const labels = Int32Array.from(data)
  const wrong = labels.findIndex((value) => value !== ignored && (value < 0 || value >= limit))
  if (wrong === -1) return labels
  const expected = limit < Number.POSITIVE_INFINITY ? `0 to ${limit - 1}` : 'at least 0'
  const message = `${label}: ${what} has label ${labels[wrong]} at row ${wrong}, expected ${expected}`
  throw new ConvlaneError('INVALID_LABEL', message, { expected, received: labels[wrong] })
}

function checkShape(shape: readonly number[], expected: readonly number[], countKnown: boolean, label: string, what: string): void {
  if (sameShape(shape, expected)) return
  const wanted = shapeText(countKnown ? expected : [null, ...expected.slice(1)])
  throw new ConvlaneError('INVALID_SHAPE', `${label}: ${what} must have shape ${wanted}, received ${shapeText(shape)}`, {
    expected,
    received: shape,
  })
}

/** What was given for each end, in their order. Throws INVALID_ARGUMENT. */
export function perEnd(value: unknown, ends: readonly End[], label: string, what: string): readonly unknown[] {
  const names = ends.map(({ name }) => name)
  if (typeof value !== 'object' || value === null) throw invalid(label, what, 'a tensor { shape, data }', value)
  if (Array.isArray(value)) {
    if (value.length === ends.length) return value
    throw invalid(label, what, `${ends.length} tensors, one for each of ${names.join(', ')}`, value)
  }
  if ('data' in value || 'shape' in value) {
    if (ends.length === 1) return [value]
    throw invalid(label, what, `an array or an object of tensors for ${names.join(', ')}`, value)
  }
  const keys = Object.keys(value)
  if (keys.length === ends.length && names.every((name) => keys.includes(name))) {
    return names.map((name) => (value as Record<string, unknown>)[name])
  }
  const expected = ends.length === 1 ? 'a tensor { shape, data }' : `an object with ${names.join(', ')}`
  const message = `${label}: ${what} must be ${expected}, received an object with ${keys.join(', ') || 'nothing'}`
  throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: names, received: keys })
}
