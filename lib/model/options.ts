import type { Rank, SampleShape } from '../layers/rank'
import type { Tensor } from '../tensor'

/** A tensor of a known rank. */
export interface RankedTensor<R extends Rank = Rank> extends Tensor {
  /** The batch, then the sizes of one sample. */
  readonly shape: readonly [n: number, ...SampleShape<R>]
}

/** Options of every model. */
export interface ModelOptions {
  /** Of the first weights, and of fit where it has none of its own. The same seed gives the same model everywhere. Default 0. */
  readonly seed?: number
  /** Where it runs. Default: `CONVLANE_RUNTIME`, else `'native'`. `'reference'` is plain TypeScript in double precision: slow by nature. */
  readonly runtime?: 'native' | 'reference'
}

/** Options of {@link Model.profile}. */
export interface ProfileOptions {
  /** Default 32. */
  readonly batchSize?: number
  /** Runs that are averaged. Default 10. */
  readonly steps?: number
}

/** A model for other threads of this process: what {@link Model.share} gives and `sharedModel` takes. Survives `postMessage`, `workerData` and JSON. */
export interface SharedModel {
  /** Names the weights within this process: 32 random hexadecimal digits. Whoever has it, and runs code in this process, can read the weights. */
  readonly id: string
  /** Layers, how bytes are scaled, names of the classes: as in a file, as JSON. */
  readonly document: string
  /** What lies beside the weights. */
  readonly slots: readonly string[]
  /** As in `compile`. */
  readonly winograd: boolean
}
