import { invalid } from '../check'
import { ConvlaneError } from '../errors'
import { checkNumber } from '../shape'
import type { EpochEvent } from './events'

/** What of an epoch is watched, and when it counts as better. */
export interface MonitorOptions {
  /** `'loss'`, a metric's name, or either behind `'validation/'`. Default `'validation/loss'` where fit validates, else `'loss'`. */
  readonly monitor?: string
  /** Whether less or more is better. Default: less for what ends in `loss`, else more. */
  readonly mode?: 'min' | 'max'
}

export const monitorNames = ['monitor', 'mode']

/** Says whether epochs get better. Its state is plain data, for checkpoints. */
export class Monitor {
  best: number | null = null
  readonly #monitor: string | undefined
  readonly #mode: 'min' | 'max' | undefined

  /** Throws INVALID_ARGUMENT. */
  constructor(
    private readonly label: string,
    { monitor, mode }: MonitorOptions,
    private readonly threshold: { readonly absolute?: number; readonly relative?: number } = {},
  ) {
    if (monitor !== undefined && (typeof monitor !== 'string' || monitor === ''))
      throw invalid(label, 'monitor', 'the name of a metric', monitor)
    if (mode !== undefined && mode !== 'min' && mode !== 'max') throw invalid(label, 'mode', "'min' or 'max'", mode)
    if (threshold.absolute !== undefined) checkNumber(threshold.absolute, label, 'minDelta', { low: 0 })
    if (threshold.relative !== undefined) checkNumber(threshold.relative, label, 'threshold', { low: 0, high: 1, below: true })
    this.#monitor = monitor
    this.#mode = mode
  }

  /** Whether the epoch is better than the best so far, by more than the threshold; then it is the best. Throws INVALID_ARGUMENT for a metric that there is not. */
  improves(event: EpochEvent): boolean {
    const { name, value } = this.read(event)
    if (!Number.isFinite(value)) return false
    const sign = (this.#mode ?? (name.endsWith('loss') ? 'min' : 'max')) === 'min' ? 1 : -1
    const { absolute = 0, relative = 0 } = this.threshold
    const { best } = this
    if (best !== null && !(sign * value < sign * best - absolute - Math.abs(best) * relative)) return false
    this.best = value
    return true
  }

  private read(event: EpochEvent): { name: string; value: number } {
    const name = this.#monitor ?? (event.validation ? 'validation/loss' : 'loss')
    const values: Record<string, number> = { loss: event.loss, ...event.metrics }
    for (const [key, value] of Object.entries(event.validation ?? {})) if (typeof value === 'number') values[`validation/${key}`] = value
    const value = values[name]
    if (value !== undefined) return { name, value }
    throw new ConvlaneError(
      'INVALID_ARGUMENT',
      `${this.label}: there is no "${name}" to monitor; there are ${Object.keys(values).join(', ')}`,
      {
        expected: Object.keys(values),
        received: name,
      },
    )
  }
}
