import { numbersOf, operand, type ReferenceStep } from './step'

/** Axis i of y is axis `permutation[i]` of x. */
export function transpose(step: ReferenceStep): void {
  const [x, y] = [operand(step, 'x'), operand(step, 'y')]
  const permutation = numbersOf(step, 'permutation')
  const strides = x.shape.map((_, axis) => x.shape.slice(axis + 1).reduce((product, size) => product * size, 1))
  for (let i = 0; i < y.data.length; i++) {
    let [rest, place] = [i, 0]
    for (let axis = y.shape.length - 1; axis >= 0; axis--) {
      place += (rest % y.shape[axis]!) * strides[permutation[axis]!]!
      rest = Math.floor(rest / y.shape[axis]!)
    }
    y.data[i] = x.data[place]!
  }
}
