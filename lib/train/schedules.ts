import { checkBoolean, checkOptions, invalid } from '../check'
import { checkInteger, checkNumber } from '../shape'
import type { EpochEvent } from './events'
import { Monitor, type MonitorOptions, monitorNames } from './monitor'
import type { Schedule } from './optimizers'

const positive = (value: unknown, label: string, argument: string): number => {
  const number = checkNumber(value, label, argument, { low: 0 })
  if (number === 0) throw invalid(label, argument, 'a number above 0', value)
  return number
}

/**
 * The learning rate times `factor` after every `every` steps: rate · factor^⌊step / every⌋ (PyTorch's StepLR, in steps). Default factor 0.1. Throws
 * INVALID_ARGUMENT.
 */
export function stepDecay(rate: number, options: { readonly every: number; readonly factor?: number }): Schedule {
  checkOptions('stepDecay', options, ['every', 'factor'])
  const every = checkInteger(options.every, 'stepDecay', 'every')
  const factor = positive(options.factor ?? 0.1, 'stepDecay', 'factor')
  checkNumber(rate, 'stepDecay', 'rate', { low: 0 })
  return (step) => rate * factor ** Math.floor(step / every)
}

/** rate · factor^(step / every), smoothly. `every` is 1 by default. Throws INVALID_ARGUMENT. */
export function exponentialDecay(rate: number, options: { readonly factor: number; readonly every?: number }): Schedule {
  checkOptions('exponentialDecay', options, ['factor', 'every'])
  const factor = positive(options.factor, 'exponentialDecay', 'factor')
  const every = positive(options.every ?? 1, 'exponentialDecay', 'every')
  checkNumber(rate, 'exponentialDecay', 'rate', { low: 0 })
  return (step) => rate * factor ** (step / every)
}

/** Options of {@link polynomialDecay}. */
export interface PolynomialOptions {
  /** Steps until `final`, which stays. */
  readonly steps: number
  /** Default 1: a straight line. */
  readonly power?: number
  /** Default 0. */
  readonly final?: number
}

/** (rate − final) · (1 − step / steps)^power + final (PyTorch's PolynomialLR, whose final is 0). Throws INVALID_ARGUMENT. */
export function polynomialDecay(rate: number, options: PolynomialOptions): Schedule {
  checkOptions('polynomialDecay', options, ['steps', 'power', 'final'])
  const steps = checkInteger(options.steps, 'polynomialDecay', 'steps')
  const power = positive(options.power ?? 1, 'polynomialDecay', 'power')
  const final = checkNumber(options.final ?? 0, 'polynomialDecay', 'final', { low: 0 })
  checkNumber(rate, 'polynomialDecay', 'rate', { low: 0 })
  return (step) => (rate - final) * (1 - Math.min(step, steps) / steps) ** power + final
}

/**
 * A straight rise to the schedule's first rate in `steps` steps, rate · (step + 1) / (steps + 1), then the schedule from its beginning. One that looks at epochs
 * (`reduceOnPlateau`) goes on doing so. Throws INVALID_ARGUMENT.
 */
export function warmUp(schedule: number | Schedule, steps: number): Schedule {
  checkInteger(steps, 'warmUp', 'steps', 0)
  if (typeof schedule !== 'function') checkNumber(schedule, 'warmUp', 'schedule', { low: 0 })
  const rate = (step: number) => (typeof schedule === 'function' ? schedule(step) : schedule)
  const rising = (step: number) => (step < steps ? (rate(0) * (step + 1)) / (steps + 1) : rate(step - steps))
  if (!isWatching(schedule)) return rising
  const { watch, restore } = schedule
  return Object.defineProperty(Object.assign(rising, { watch, restore }), 'state', { get: () => schedule.state })
}

/** Options of {@link cosineDecay}. */
export interface CosineOptions {
  /** Steps from the rate down to `final`; with restarts those of the first cycle. */
  readonly steps: number
  /** Default 0. */
  readonly final?: number
  /** Steps of a straight rise before it, as {@link warmUp}. Default 0. */
  readonly warmUp?: number
  /** Begins anew at the rate after each cycle (Loshchilov and Hutter, "SGDR", 2017). Default false: `final` stays. */
  readonly restarts?: boolean
  /** How many times longer each cycle is than the one before. Default 1. */
  readonly cycleFactor?: number
}

/** From the rate to `final` along half a cosine: final + (rate − final) · (1 + cos(π · step / steps)) / 2. Throws INVALID_ARGUMENT. */
export function cosineDecay(rate: number, options: CosineOptions): Schedule {
  checkOptions('cosineDecay', options, ['steps', 'final', 'warmUp', 'restarts', 'cycleFactor'])
  const steps = checkInteger(options.steps, 'cosineDecay', 'steps')
  const final = checkNumber(options.final ?? 0, 'cosineDecay', 'final', { low: 0 })
  const restarts = checkBoolean(options.restarts ?? false, 'cosineDecay', 'restarts')
  const cycleFactor = checkInteger(options.cycleFactor ?? 1, 'cosineDecay', 'cycleFactor')
  checkNumber(rate, 'cosineDecay', 'rate', { low: 0 })
  const along = (step: number, of: number) => final + ((rate - final) / 2) * (1 + Math.cos((Math.PI * step) / of))
  const schedule = (step: number): number => {
    if (!restarts) return along(Math.min(step, steps), steps)
    if (cycleFactor === 1) return along(step % steps, steps)
    let [left, length] = [step, steps]
    while (left >= length) {
      left -= length
      length *= cycleFactor
    }
    return along(left, length)
  }
  const rise = checkInteger(options.warmUp ?? 0, 'cosineDecay', 'warmUp', 0)
  return rise > 0 ? warmUp(schedule, rise) : schedule
}

/** Options of {@link oneCycle}. */
export interface OneCycleOptions {
  /** Of the whole cycle; the last rate stays. */
  readonly steps: number
  /** Share of the steps in which the rate rises, 0 to 1. Default 0.3. */
  readonly rise?: number
  /** The first rate is the highest divided by this. Default 25. */
  readonly startDivisor?: number
  /** The last rate is the first divided by this. Default 1e4. */
  readonly finalDivisor?: number
}

/**
 * Smith's one cycle: up to `rate` and down to nearly nothing, both along half a cosine. PyTorch's OneCycleLR, without its cycle of the momentum. Throws
 * INVALID_ARGUMENT.
 */
export function oneCycle(rate: number, options: OneCycleOptions): Schedule {
  checkOptions('oneCycle', options, ['steps', 'rise', 'startDivisor', 'finalDivisor'])
  const steps = checkInteger(options.steps, 'oneCycle', 'steps')
  const rise = checkNumber(options.rise ?? 0.3, 'oneCycle', 'rise', { low: 0, high: 1 })
  const start = checkNumber(rate, 'oneCycle', 'rate', { low: 0 }) / positive(options.startDivisor ?? 25, 'oneCycle', 'startDivisor')
  const final = start / positive(options.finalDivisor ?? 1e4, 'oneCycle', 'finalDivisor')
  const top = rise * steps - 1
  const last = steps - 1
  const between = (from: number, to: number, share: number) => to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share))
  return (step) => {
    if (step >= last) return final
    return step < top ? between(start, rate, step / top) : between(rate, final, (step - Math.max(top, 0)) / (last - Math.max(top, 0)))
  }
}

/** A schedule that looks at epochs, too: `compile` lets it begin anew, fit shows it each epoch, checkpoints keep its state. */
export interface WatchingSchedule extends Schedule {
  /** Shows it an epoch of fit. */
  watch(event: EpochEvent): void
  /** What it goes by, as JSON; given, taken up. Null: its beginning. */
  readonly state: unknown
  /** Takes up such a state. */
  restore(state: unknown): void
}

/** Whether a learning rate is a {@link WatchingSchedule}. */
export function isWatching(rate: unknown): rate is WatchingSchedule {
  return typeof rate === 'function' && 'watch' in rate && 'restore' in rate
}

/** Options of {@link reduceOnPlateau}. */
export interface PlateauOptions extends MonitorOptions {
  /** Default 0.1. */
  readonly factor?: number
  /** Epochs without a better result before the rate is lowered, beyond which the next one does it. Default 10. */
  readonly patience?: number
  /** Epochs after a lowering in which results do not count. Default 0. */
  readonly cooldown?: number
  /** By what share of the best a result must be better. Default 1e-4. */
  readonly threshold?: number
  /** The rate goes no lower. Default 0. */
  readonly lowest?: number
}

/**
 * The rate times `factor` whenever more than `patience` epochs bring nothing better: PyTorch's ReduceLROnPlateau. (Keras lowers it one epoch earlier.)
 * One schedule is for one model: it remembers.
 * @throws INVALID_ARGUMENT
 */
export function reduceOnPlateau(rate: number, options: PlateauOptions = {}): WatchingSchedule {
  const label = 'reduceOnPlateau'
  checkOptions(label, options, ['factor', 'patience', 'cooldown', 'threshold', 'lowest', ...monitorNames])
  checkNumber(rate, label, 'rate', { low: 0 })
  const factor = checkNumber(options.factor ?? 0.1, label, 'factor', { low: 0, high: 1, below: true })
  const patience = checkInteger(options.patience ?? 10, label, 'patience', 0)
  const cooldown = checkInteger(options.cooldown ?? 0, label, 'cooldown', 0)
  const lowest = checkNumber(options.lowest ?? 0, label, 'lowest', { low: 0 })
  const monitor = new Monitor(label, options, { relative: options.threshold ?? 1e-4 })
  let current = rate
  let waited = 0
  let cooling = 0
  const watch = (event: EpochEvent) => {
    if (monitor.improves(event)) waited = 0
    else waited++
    if (cooling > 0) {
      cooling--
      waited = 0
    }
    if (waited <= patience) return
    current = Math.max(current * factor, Math.min(lowest, current))
    cooling = cooldown
    waited = 0
  }
  const restore = (state: unknown) => {
    const { best = null, ...rest } = (state ?? {}) as Record<string, number | null>
    monitor.best = best === null ? null : checkNumber(best, label, 'best')
    current = checkNumber(rest.current ?? rate, label, 'current', { low: 0 })
    waited = checkInteger(rest.waited ?? 0, label, 'waited', 0)
    cooling = checkInteger(rest.cooling ?? 0, label, 'cooling', 0)
  }
  const schedule = Object.assign((_step: number) => current, { watch, restore })
  Object.defineProperty(schedule, 'state', { get: () => ({ best: monitor.best, current, waited, cooling }) })
  return schedule as unknown as WatchingSchedule
}
