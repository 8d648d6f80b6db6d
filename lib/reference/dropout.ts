import { philox4x32 } from '../random'
import { numberOf, operand, type ReferenceStep, scalarOf } from './step'

/** The low and the high 32 bits of a whole number. */
const halves = (value: number): [low: number, high: number] => [value % 2 ** 32, Math.floor(value / 2 ** 32)]

/** Keeps an element where its random word is at least rate · 2³², scaled by 1 / (1 − rate); gives 0 elsewhere. */
export function dropout(step: ReferenceStep): void {
  const x = operand(step, 'x').data
  const y = operand(step, 'y').data
  const rate = numberOf(step, 'rate')
  const seed = scalarOf(step, 'seed')
  const count = scalarOf(step, 'step')
  const stream = numberOf(step, 'stream')
  const threshold = Math.floor(rate * 2 ** 32)
  for (let i = 0; i < y.length; i++) {
    const words = philox4x32([Math.floor(i / 4), stream, ...halves(count)], halves(seed))
    y[i] = words[i % 4]! >= threshold ? x[i]! / (1 - rate) : 0
  }
}
