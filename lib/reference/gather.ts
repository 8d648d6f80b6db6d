import { numberOf, operand, type ReferenceOperand, type ReferenceStep } from './step'

/** Calls `visit` with the places of each element that an index picks, `-1` where there is no such index. */
function eachPick(
  step: ReferenceStep,
  whole: ReferenceOperand,
  picked: ReferenceOperand,
  visit: (pickedAt: number, wholeAt: number) => void,
) {
  const indices = operand(step, 'indices').data
  const axis = numberOf(step, 'axis')
  const size = whole.shape[axis]!
  const inner = whole.shape.slice(axis + 1).reduce((product, length) => product * length, 1)
  for (let i = 0; i < picked.data.length; i++) {
    const row = Math.floor(i / inner)
    const index = indices[row % indices.length]!
    const isInside = index >= 0 && index < size
    visit(i, isInside ? (Math.floor(row / indices.length) * size + index) * inner + (i % inner) : -1)
  }
}

/** The places of an axis that the indices name; NaN where there is no such place. */
export function gather(step: ReferenceStep): void {
  const [x, y] = [operand(step, 'x'), operand(step, 'y')]
  eachPick(step, x, y, (at, from) => {
    y.data[at] = from < 0 ? Number.NaN : x.data[from]!
  })
}

/** Adds each row to the place that it was taken from. */
export function scatterAdd(step: ReferenceStep): void {
  const [dy, dx] = [operand(step, 'dy'), operand(step, 'dx')]
  const sums = new Float64Array(dx.data.length)
  eachPick(step, dx, dy, (at, to) => {
    if (to >= 0) sums[to]! += dy.data[at]!
  })
  dx.data.set(sums)
}

/** A row for each index: 1 at its place, 0 elsewhere. */
export function oneHot(step: ReferenceStep): void {
  const [indices, y] = [operand(step, 'indices').data, operand(step, 'y')]
  const depth = y.shape.at(-1)!
  for (let i = 0; i < y.data.length; i++) y.data[i] = indices[Math.floor(i / depth)] === i % depth ? 1 : 0
}
