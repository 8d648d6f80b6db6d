import { checkBoolean, checkOptions } from '../check'
import { checkNumber } from '../shape'

/** A second set of weights that follows those that are trained: their exponential moving average. */
export interface EmaOptions {
  /** After each update: average = decay · average + (1 − decay) · weights; after the first it is the weights. 0 to below 1. Default 0.99, as in Keras. */
  readonly decay?: number
  /** Whether fit measures validation data with the averages, which early stopping then keeps. Default false. */
  readonly validate?: boolean
  /**
   * Whether the weights become the averages when fit ends after its last epoch or by early stopping, as in Keras. Of no effect where early stopping gives back the
   * best epoch: its averages with `validate`, else its weights. Default false.
   */
  readonly overwrite?: boolean
}

/** Throws INVALID_ARGUMENT. */
export function checkEma(options: unknown): Required<EmaOptions> {
  checkOptions('compile: ema', options, ['decay', 'validate', 'overwrite'])
  const { decay = 0.99, validate = false, overwrite = false } = options as EmaOptions
  return {
    decay: checkNumber(decay, 'compile: ema', 'decay', { low: 0, high: 1, below: true }),
    validate: checkBoolean(validate, 'compile: ema', 'validate'),
    overwrite: checkBoolean(overwrite, 'compile: ema', 'overwrite'),
  }
}

/** What the averages take of the weights after that many updates. */
export const emaShare = ({ decay }: Required<EmaOptions>, step: number): number => (step === 1 ? 1 : 1 - decay)
