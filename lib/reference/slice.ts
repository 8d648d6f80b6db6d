import { numbersOf, operand, type ReferenceStep } from './step'

/** The box of x that begins at `start` and is as large as y. One number is for the last axis, the others being whole. */
export function slice(step: ReferenceStep): void {
  const [x, y] = [operand(step, 'x'), operand(step, 'y')]
  const given = numbersOf(step, 'start')
  const start = x.shape.map((_, axis) => given[given.length - x.shape.length + axis] ?? 0)
  for (let i = 0; i < y.data.length; i++) {
    let [rest, place, stride] = [i, 0, 1]
    for (let axis = y.shape.length - 1; axis >= 0; axis--) {
      place += (start[axis]! + (rest % y.shape[axis]!)) * stride
      rest = Math.floor(rest / y.shape[axis]!)
      stride *= x.shape[axis]!
    }
    y.data[i] = x.data[place]!
  }
}
