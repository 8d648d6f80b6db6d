import { invalid } from '../check'
import { ConvlaneError } from '../errors'
import { checkArray, type Labels, type Tensor } from '../tensor'
import type { NumpyArray } from './npy'

/** Linear map `value · scale + offset` applied natively to every element, or per channel when arrays of C numbers are given. */
export interface Normalize {
  /** Factor of every byte, or one for each channel. */
  readonly scale: number | readonly number[]
  /** Added after it, one number or one for each channel. */
  readonly offset: number | readonly number[]
}

/** Samples as bytes or floats, the first axis counting them; channels last: `[N, H, W, C]`. */
export interface Samples {
  /** Sizes; the first is the number of samples. */
  readonly shape: readonly number[]
  /** As many elements as the product of the sizes. */
  readonly data: Float32Array | Uint8Array
}

/** Samples and what they should become. */
export interface Dataset {
  /** Samples, `[N, …]`. */
  readonly x: Samples
  /** Class numbers `[N]`, or targets of any shape `[N, …]`. */
  readonly y: Labels | Tensor
  /** Number of samples N. */
  readonly length: number
  /** How much each sample counts in the loss, `[N]`, at least 0. Default: 1 each. */
  readonly sampleWeight?: Tensor | Float32Array | readonly number[]
  /** Name of each class, by class number. */
  readonly classNames?: readonly string[]
  /** How `x` becomes what the network sees. Default: scale 1/255 for `Uint8Array`, none for `Float32Array`. */
  readonly normalize?: Normalize
}

/** A data set in its two parts. `test` is for measuring, never for choosing. */
export interface TrainTest {
  /** To train on. */
  readonly train: Dataset
  /** Never to train on. */
  readonly test: Dataset
}

/** What {@link dataset} takes: a {@link Dataset} whose arrays may come from NumPy's files. */
export interface DatasetParts extends Omit<Dataset, 'length' | 'x' | 'y'> {
  /** Samples, `[N, …]`: bytes or float32. */
  readonly x: Samples | NumpyArray
  /** Class numbers `[N]`, or targets of any shape `[N, …]` as float32. */
  readonly y: Labels | Tensor | NumpyArray
}

/**
 * Makes a {@link Dataset} of arrays, without copying them.
 * @throws `INVALID_SHAPE`, `INVALID_TENSOR`, `INVALID_LABEL` or `INVALID_ARGUMENT` when the parts do not fit together.
 */
export function dataset(parts: DatasetParts): Dataset {
  if (typeof parts !== 'object' || parts === null) throw invalid('dataset', 'parts', 'an object { x, y }', parts)
  const { x, y, sampleWeight, classNames, normalize } = parts
  checkArray(x, 'dataset', 'x', ['Float32Array', 'Uint8Array'])
  checkArray(y, 'dataset', 'y', ['Float32Array', 'Int32Array', 'Uint8Array'])
  const [length] = x.shape
  if (length === undefined) throw new ConvlaneError('INVALID_SHAPE', 'dataset: x must have an axis that counts the samples, received []')
  if (y.shape[0] !== length) {
    throw new ConvlaneError('INVALID_SHAPE', `dataset: x has ${length} samples, y has ${y.shape[0]}`, {
      expected: length,
      received: y.shape[0],
    })
  }
  if (!(y.data instanceof Float32Array)) {
    if (y.shape.length !== 1) {
      throw new ConvlaneError('INVALID_SHAPE', `dataset: class numbers must have shape [N], received [${y.shape.join(', ')}]`)
    }
    checkLabels('dataset', y.data, classNames?.length ?? Number.POSITIVE_INFINITY)
  }
  if (sampleWeight !== undefined) {
    const isTensor = typeof sampleWeight === 'object' && sampleWeight !== null && 'data' in sampleWeight
    const weights: unknown = (isTensor ? sampleWeight.data : sampleWeight)?.length
    if (weights !== length) {
      const message = `dataset: x has ${length} samples, sampleWeight has ${weights}`
      throw new ConvlaneError('INVALID_SHAPE', message, { expected: length, received: weights })
    }
  }
  if (normalize) {
    checkNormalize('scale', normalize.scale, x.shape.at(-1)!)
    checkNormalize('offset', normalize.offset, x.shape.at(-1)!)
  }
  return Object.freeze({ ...(parts as Omit<Dataset, 'length'>), length })
}

/**
 * The samples `start` to `end` (exclusive) of a data set: views, nothing is copied.
 * @throws `INVALID_ARGUMENT` unless 0 <= start < end <= length.
 */
export function sliceDataset(data: Dataset, start: number, end: number = data.length): Dataset {
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || start >= end || end > data.length) {
    throw new ConvlaneError('INVALID_ARGUMENT', `sliceDataset: ${start} to ${end} is no range of samples within 0 to ${data.length}`)
  }
  const part = <A extends Samples | Labels | Tensor>(array: A): A => {
    const row = array.data.length / data.length
    return { shape: [end - start, ...array.shape.slice(1)], data: array.data.subarray(start * row, end * row) } as unknown as A
  }
  const { sampleWeight } = data
  const weights = sampleWeight && { sampleWeight: 'data' in sampleWeight ? part(sampleWeight) : sampleWeight.slice(start, end) }
  return Object.freeze({ ...data, x: part(data.x), y: part(data.y), ...weights, length: end - start })
}

/** Throws `INVALID_LABEL` for the first label outside 0 … classes − 1. */
export function checkLabels(what: string, labels: ArrayLike<number>, classes: number): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!
    if (label < 0 || label >= classes) {
      const expected = Number.isFinite(classes) ? `0 to ${classes - 1}` : '0 or more'
      throw new ConvlaneError('INVALID_LABEL', `${what}: label ${label} of sample ${i} is out of range, expected ${expected}`, {
        expected,
        received: label,
      })
    }
  }
}

function checkNormalize(name: string, value: number | readonly number[], channels: number): void {
  const values = typeof value === 'number' ? [value] : value
  if (!Array.isArray(values) || !values.every(Number.isFinite) || (typeof value !== 'number' && values.length !== channels)) {
    throw new ConvlaneError(
      'INVALID_ARGUMENT',
      `dataset: normalize.${name} must be a finite number or ${channels} of them, one per channel`,
      {
        received: value,
      },
    )
  }
}
