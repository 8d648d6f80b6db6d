import { drawsOf } from './draws'
import { numberOf, numbersOf, operand, type ReferenceStep } from './step'

/** y = share · x + (1 − share) · the row that lies so many rows further, that number being drawn for the batch, the share for each row. */
export function mixup(step: ReferenceStep): void {
  const { data: x, shape } = operand(step, 'x')
  const y = operand(step, 'y').data
  const [stream, probability, quantiles] = [numberOf(step, 'stream'), numberOf(step, 'probability'), numbersOf(step, 'quantiles')]
  const n = shape[0]!
  const row = x.length / n
  const away = n > 1 ? 1 + Math.floor((n - 1) * drawsOf(step, stream, 2 ** 32 - 1)(0)) : 0
  for (let i = 0; i < n; i++) {
    const draw = drawsOf(step, stream, i)
    let share = 1
    if (draw(0) < probability) {
      const at = draw(1) * (quantiles.length - 1)
      const below = Math.floor(at)
      share = quantiles[below]! + (quantiles[below + 1]! - quantiles[below]!) * (at - below)
    }
    const other = (i + away) % n
    for (let j = 0; j < row; j++) y[i * row + j] = share * x[i * row + j]! + (share === 1 ? 0 : (1 - share) * x[other * row + j]!)
  }
}
