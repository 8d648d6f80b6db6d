import { numbersOf, operand, type ReferenceStep } from './step'

/** y = the values of x that lie over the same place of the axes that stay, in order, put together by `merge`. */
function reduceOf(merge: (values: readonly number[]) => number): (step: ReferenceStep) => void {
  return (step) => {
    const [x, y] = [operand(step, 'x'), operand(step, 'y')]
    const [first, last] = numbersOf(step, 'axes') as [number, number]
    const size = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1)
    const [reduced, inner] = [size(x.shape.slice(first, last + 1)), size(x.shape.slice(last + 1))]
    for (let i = 0; i < y.data.length; i++) {
      const [o, j] = [Math.floor(i / inner), i % inner]
      const values = Array.from({ length: reduced }, (_, r) => x.data[(o * reduced + r) * inner + j]!)
      const result = merge(values)
      y.data[i] = step.attributes.mean === true ? result / reduced : result
    }
  }
}

export const sum = reduceOf((values) => values.reduce((total, value) => total + value, 0))
export const max = reduceOf((values) => values.reduce((most, value) => Math.max(most, value)))
export const min = reduceOf((values) => values.reduce((least, value) => Math.min(least, value)))
