import { operand, type ReferenceStep } from './step'

/** y[i] = f(x[i]). */
export function mapOf(f: (x: number) => number): (step: ReferenceStep) => void {
  return (step) => {
    const x = operand(step, 'x').data
    const y = operand(step, 'y').data
    for (let i = 0; i < y.length; i++) y[i] = f(x[i]!)
  }
}

/** dx[i] = f(dy[i], y[i]), where y is the output of the forward op. */
export function backwardOf(f: (dy: number, y: number) => number): (step: ReferenceStep) => void {
  return (step) => {
    const dy = operand(step, 'dy').data
    const y = operand(step, 'y').data
    const dx = operand(step, 'dx').data
    for (let i = 0; i < dx.length; i++) dx[i] = f(dy[i]!, y[i]!)
  }
}
