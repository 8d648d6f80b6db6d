import { describe, expect, test } from 'vitest'
import {
  cosineDecay,
  type EpochEvent,
  exponentialDecay,
  oneCycle,
  polynomialDecay,
  reduceOnPlateau,
  stepDecay,
  warmUp,
} from '../../lib/index'
import { isWatching, type WatchingSchedule } from '../../lib/train/schedules'
import { expectError } from '../support/models'

const close = (actual: readonly number[], expected: readonly number[]) =>
  actual.forEach((rate, index) => {
    expect(rate, `step ${index}`).toBeCloseTo(expected[index]!, 12)
  })
const rates = (schedule: (step: number) => number, ...steps: number[]) => steps.map(schedule)

describe('schedules, by hand', () => {
  test('steps', () => {
    close(rates(stepDecay(1, { every: 3 }), 0, 2, 3, 5, 6), [1, 1, 0.1, 0.1, 0.01])
    close(rates(stepDecay(2, { every: 1, factor: 0.5 }), 0, 1, 2), [2, 1, 0.5])
  })

  test('exponential', () => {
    close(rates(exponentialDecay(2, { factor: 0.25, every: 2 }), 0, 1, 2, 4), [2, 1, 0.5, 0.125])
    close(rates(exponentialDecay(1, { factor: 0.9 }), 3), [0.729])
  })

  test('polynomial', () => {
    close(rates(polynomialDecay(1, { steps: 4 }), 0, 1, 4, 9), [1, 0.75, 0, 0])
    close(rates(polynomialDecay(1.5, { steps: 4, power: 2, final: 0.5 }), 0, 2, 4, 5), [1.5, 0.75, 0.5, 0.5])
  })

  test('cosine, with warm-up and restarts', () => {
    close(rates(cosineDecay(1, { steps: 4 }), 0, 2, 4, 100), [1, 0.5, 0, 0])
    close(rates(cosineDecay(1, { steps: 4, final: 0.5, warmUp: 3 }), 0, 1, 2, 3, 5, 7, 8), [0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.5])
    close(rates(cosineDecay(1, { steps: 2, restarts: true }), 0, 1, 2, 3, 4), [1, 0.5, 1, 0.5, 1])
    close(rates(cosineDecay(1, { steps: 2, restarts: true, cycleFactor: 2 }), 0, 1, 2, 4, 6, 10, 14), [1, 0.5, 1, 0.5, 1, 0.5, 1])
    close(rates(warmUp(1, 1), 0, 1, 2), [0.5, 1, 1])
  })

  test('one cycle', () => {
    const schedule = oneCycle(1, { steps: 21, rise: 0.5, startDivisor: 4, finalDivisor: 10 })
    close(rates(schedule, 0, 20, 21), [0.25, 0.025, 0.025])
    close(rates(oneCycle(1, { steps: 12, rise: 0.5 }), 0, 5, 11), [0.04, 1, 0.000004])
    close(rates(oneCycle(1, { steps: 12, rise: 0.5, startDivisor: 2 }), 2.5, 8), [0.75, (1 + 0.5 / 1e4) / 2])
  })

  test('on a plateau', () => {
    const schedule = reduceOnPlateau(1, { factor: 0.5, patience: 1, cooldown: 1, lowest: 0.2, threshold: 0 })
    const event = (loss: number): EpochEvent => ({ epoch: 1, loss, metrics: {}, learningRate: 1, seconds: 1, imagesPerSecond: 1 })
    const seen = [3, 2, 2, 2, 2, 2, 2, 1, 1, 1].map((loss) => {
      schedule.watch(event(loss))
      return schedule(0)
    })
    expect(seen).toEqual([1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2])
    const other = reduceOnPlateau(1, { factor: 0.5, patience: 1, cooldown: 1, lowest: 0.2, threshold: 0 })
    other.restore(JSON.parse(JSON.stringify(schedule.state)))
    for (const each of [schedule, other]) each.watch(event(1))
    expect([schedule(5), other(5)]).toEqual([0.2, 0.2])
    other.restore(null)
    expect([other(0), other.state]).toEqual([1, { best: null, current: 1, waited: 0, cooling: 0 }])
    const accuracy = reduceOnPlateau(1, { monitor: 'validation/accuracy', patience: 0 })
    for (const value of [0.5, 0.6, 0.6]) accuracy.watch({ ...event(1), validation: { loss: 1, accuracy: value } })
    expect(accuracy(0)).toBe(0.1)
  })

  test('a warm-up before a plateau lets it see the epochs', () => {
    const schedule = warmUp(reduceOnPlateau(1, { factor: 0.5, patience: 0 }), 1) as WatchingSchedule
    expect(isWatching(schedule)).toBe(true)
    const epoch: EpochEvent = { epoch: 1, loss: 1, metrics: {}, learningRate: 1, seconds: 1, imagesPerSecond: 1 }
    for (let k = 0; k < 2; k++) schedule.watch(epoch)
    close(rates(schedule, 0, 1, 9), [0.25, 0.5, 0.5])
    expect(schedule.state).toMatchObject({ best: 1, current: 0.5 })
    schedule.restore(null)
    close(rates(schedule, 0, 1), [0.5, 1])
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, '3', {}])('refuse %s wherever they take a number', async (wrong) => {
    const bad = wrong as number
    const makers: Record<string, (() => unknown)[]> = {
      stepDecay: [() => stepDecay(bad, { every: 2 }), () => stepDecay(1, { every: bad }), () => stepDecay(1, { every: 1, factor: bad })],
      exponentialDecay: [
        () => exponentialDecay(bad, { factor: 0.5 }),
        () => exponentialDecay(1, { factor: bad }),
        () => exponentialDecay(1, { factor: 0.5, every: bad }),
      ],
      polynomialDecay: [
        () => polynomialDecay(bad, { steps: 4 }),
        ...['steps', 'power', 'final'].map((name) => () => polynomialDecay(1, { steps: 4, [name]: bad })),
      ],
      warmUp: [() => warmUp(bad, 3), () => warmUp(1, bad)],
      cosineDecay: [
        () => cosineDecay(bad, { steps: 4 }),
        ...['steps', 'final', 'warmUp', 'restarts', 'cycleFactor'].map((name) => () => cosineDecay(1, { steps: 4, [name]: bad })),
      ],
      oneCycle: [
        () => oneCycle(bad, { steps: 4 }),
        ...['steps', 'rise', 'startDivisor', 'finalDivisor'].map((name) => () => oneCycle(1, { steps: 4, [name]: bad })),
      ],
      reduceOnPlateau: [
        () => reduceOnPlateau(bad),
        ...['factor', 'patience', 'cooldown', 'threshold', 'lowest'].map((name) => () => reduceOnPlateau(1, { [name]: bad })),
      ],
    }
    for (const [name, calls] of Object.entries(makers))
      for (const call of calls) await expectError(call, 'INVALID_ARGUMENT', new RegExp(`^${name}: `))
  })

  test('refuse what makes no sense', async () => {
    await expectError(() => stepDecay(1, { every: 0 }), 'INVALID_ARGUMENT', 'stepDecay: every must be a positive integer, received 0')
    await expectError(() => exponentialDecay(-1, { factor: 0.5 }), 'INVALID_ARGUMENT', 'exponentialDecay: rate')
    await expectError(
      () => polynomialDecay(1, { steps: 4, power: 0 }),
      'INVALID_ARGUMENT',
      'polynomialDecay: power must be a number above 0',
    )
    await expectError(() => cosineDecay(1, { step: 4 } as never), 'INVALID_ARGUMENT', 'cosineDecay: unknown option "step"')
    await expectError(() => oneCycle(1, { steps: 4, rise: 2 }), 'INVALID_ARGUMENT', 'oneCycle: rise')
    await expectError(() => reduceOnPlateau(1, { mode: 'low' as never }), 'INVALID_ARGUMENT', 'reduceOnPlateau: mode')
    const missing = reduceOnPlateau(1, { monitor: 'f1' })
    const epoch = { epoch: 1, loss: 1, metrics: { accuracy: 1 }, learningRate: 1, seconds: 1, imagesPerSecond: 1 }
    await expectError(() => missing.watch(epoch), 'INVALID_ARGUMENT', 'there is no "f1" to monitor; there are loss, accuracy')
  })
})
