import { checkBoolean, checkOptions } from '../check'
import { checkInteger, checkNumber } from '../shape'
import type { Tensor } from '../tensor'
import type { EpochEvent } from './events'
import { Monitor, type MonitorOptions, monitorNames } from './monitor'

export interface EarlyStoppingOptions extends MonitorOptions {
  /** So many epochs in a row without a better result end fit, as in Keras. Default 5. */
  readonly patience?: number
  /** How much better a result must be to count. Default 0. */
  readonly minDelta?: number
  /** Gives the model the weights of the best epoch when fit ends, unless a signal or an error ends it. Default true. */
  readonly restoreBest?: boolean
}

type Weights = Readonly<Record<string, Tensor>>

/** Watches the epochs of a fit, and keeps the weights of the best. */
export class EarlyStopping {
  best: Weights | undefined
  readonly #monitor: Monitor
  readonly #patience: number
  readonly #restores: boolean
  #waited = 0

  /** Throws INVALID_ARGUMENT. */
  constructor(options: EarlyStoppingOptions) {
    const label = 'fit: earlyStopping'
    checkOptions(label, options, ['patience', 'minDelta', 'restoreBest', ...monitorNames])
    this.#patience = checkInteger(options.patience ?? 5, label, 'patience')
    this.#restores = checkBoolean(options.restoreBest ?? true, label, 'restoreBest')
    this.#monitor = new Monitor(label, options, { absolute: options.minDelta ?? 0 })
  }

  /** Whether it is time to end. */
  get stops(): boolean {
    return this.#waited >= this.#patience
  }

  /** `weights` gives those after the epoch. */
  async watch(event: EpochEvent, weights: () => Promise<Weights>): Promise<void> {
    if (this.#monitor.improves(event)) {
      this.#waited = 0
      if (this.#restores) this.best = await weights()
    } else this.#waited++
  }

  get state(): unknown {
    return { best: this.#monitor.best, waited: this.#waited }
  }

  /** @param best the weights that were kept */
  restore(state: unknown, best: Weights | undefined): void {
    const { best: value = null, waited = 0 } = (state ?? {}) as { best?: number | null; waited?: number }
    this.#monitor.best = value === null ? null : checkNumber(value, 'earlyStopping', 'best')
    this.#waited = checkInteger(waited, 'earlyStopping', 'waited', 0)
    this.best = best
  }
}
