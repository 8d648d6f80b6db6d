import { numberOf, numbersOf, operand, type ReferenceOperand, type ReferenceStep } from './step'

/** Calls `visit` with each place of the padded tensor and the place of the inner one that it shows, -1 where it shows none. */
function eachPlace(
  step: ReferenceStep,
  inner: ReferenceOperand,
  outer: ReferenceOperand,
  visit: (outerAt: number, innerAt: number) => void,
) {
  const padding = numbersOf(step, 'padding')
  const mode = step.attributes.mode
  for (let i = 0; i < outer.data.length; i++) {
    let [rest, place, stride] = [i, 0, 1]
    for (let axis = outer.shape.length - 1; axis >= 0; axis--) {
      const size = inner.shape[axis]!
      let at = (rest % outer.shape[axis]!) - padding[2 * axis]!
      rest = Math.floor(rest / outer.shape[axis]!)
      if (mode === 'edge') at = Math.min(Math.max(at, 0), size - 1)
      if (mode === 'reflect') at = at < 0 ? -at : at >= size ? 2 * size - 2 - at : at
      place = at < 0 || at >= size || place < 0 ? -1 : place + at * stride
      stride *= size
    }
    visit(i, place)
  }
}

/** Around x: a value, its edge, or its mirror image. */
export function pad(step: ReferenceStep): void {
  const [x, y] = [operand(step, 'x'), operand(step, 'y')]
  const value = numberOf(step, 'value', 0)
  eachPlace(step, x, y, (at, from) => {
    y.data[at] = from < 0 ? value : x.data[from]!
  })
}

/** Each element of dx gets the sum of what showed it. */
export function padBackward(step: ReferenceStep): void {
  const [dy, dx] = [operand(step, 'dy'), operand(step, 'dx')]
  const sums = new Float64Array(dx.data.length)
  eachPlace(step, dx, dy, (at, from) => {
    if (from >= 0) sums[from]! += dy.data[at]!
  })
  dx.data.set(sums)
}
