import { operand, type ReferenceOperand, type ReferenceStep } from './step'

/** Where each element of a result is read from in an operand whose last axes are aligned to the result's and repeated where they have size 1. */
export function placesOf({ shape: own }: ReferenceOperand, result: readonly number[]): (index: number) => number {
  const lead = result.length - own.length
  return (index) => {
    let [rest, stride, place] = [index, 1, 0]
    for (let axis = result.length - 1; axis >= lead; axis--) {
      const at = rest % result[axis]!
      rest = Math.floor(rest / result[axis]!)
      place += (own[axis - lead] === 1 ? 0 : at) * stride
      stride *= own[axis - lead]!
    }
    return place
  }
}

/** y = f(a, b), broadcast. */
export function binaryOf(f: (a: number, b: number) => number): (step: ReferenceStep) => void {
  return (step) => {
    const [a, b, y] = [operand(step, 'a'), operand(step, 'b'), operand(step, 'y')]
    const [placeA, placeB] = [placesOf(a, y.shape), placesOf(b, y.shape)]
    for (let i = 0; i < y.data.length; i++) y.data[i] = f(a.data[placeA(i)]!, b.data[placeB(i)]!)
  }
}

/** a where the condition isn't 0, else b. */
export function where(step: ReferenceStep): void {
  const [c, a, b, y] = [operand(step, 'condition'), operand(step, 'a'), operand(step, 'b'), operand(step, 'y')]
  const [placeC, placeA, placeB] = [placesOf(c, y.shape), placesOf(a, y.shape), placesOf(b, y.shape)]
  for (let i = 0; i < y.data.length; i++) y.data[i] = c.data[placeC(i)] !== 0 ? a.data[placeA(i)]! : b.data[placeB(i)]!
}

/** Repeats x; with `mean`, divided by how often. */
export function broadcastTo(step: ReferenceStep): void {
  const [x, y] = [operand(step, 'x'), operand(step, 'y')]
  const place = placesOf(x, y.shape)
  const times = step.attributes.mean === true ? y.data.length / x.data.length : 1
  for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[place(i)]! / times
}
