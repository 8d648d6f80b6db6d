import { invalid } from '../check'
import { ConvlaneError } from '../errors'
import { isStream, type Source, splitRows, streamSource, tableSource } from '../train/batches'
import { checkData, type Data, type XY } from '../train/data'
import type { Objective } from '../train/objective'
import type { InputEnd } from './architecture'

/** What data is checked against. */
interface Against {
  readonly inputs: readonly InputEnd[]
  readonly objective: Objective
  /** Samples in a run where nobody says. */
  readonly chunk: number
}

interface SourceOptions {
  readonly batchSize: number
  /** Seed of the order; absent: as they come. */
  readonly order: number | undefined
  readonly seed: number
  readonly validationData: Data | undefined
  readonly validationSplit: number
  readonly classWeight: readonly number[] | undefined
}

/** Data in batches, checked. Throws what bad data throws, beginning with the label. */
export function sourceOf(
  data: Data,
  { inputs, objective }: Against,
  label: string,
  batchSize: number,
  order?: number,
  classWeight?: readonly number[],
): Source {
  const check = (given: XY) => checkData(given, inputs, objective, label, classWeight)
  return isStream(data) ? streamSource(data, check, label) : tableSource(check(data), batchSize, order)
}

/** What fit trains with, and what it measures after each epoch. Throws INVALID_ARGUMENT, and what bad data throws. */
export function fitSources(data: Data, against: Against, options: SourceOptions): { data: Source; validation: Source | undefined } {
  const { inputs, objective, chunk } = against
  const { batchSize, order, seed, validationData, validationSplit, classWeight } = options
  if (validationSplit > 0) {
    if (validationData !== undefined) throw new ConvlaneError('INVALID_ARGUMENT', 'fit: takes validationData or validationSplit, not both')
    if (isStream(data)) throw invalid('fit', 'validationSplit', 'given for arrays only, not for an iterable', validationSplit)
    const table = checkData(data, inputs, objective, 'fit', classWeight)
    const kept = classWeight ? checkData(data, inputs, objective, 'fit') : table
    const { training, validation } = splitRows(table.n, validationSplit, seed)
    return { data: tableSource(table, batchSize, order, training), validation: tableSource(kept, chunk, undefined, validation) }
  }
  const validation = validationData && sourceOf(validationData, against, 'fit: validationData', chunk)
  return { data: sourceOf(data, against, 'fit', batchSize, order, classWeight), validation }
}
