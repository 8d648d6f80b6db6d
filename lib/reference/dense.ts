import { activationOf } from './activation'
import { asMatrix, operand, optional, type ReferenceStep } from './step'

/** y = activation(x · w + bias). Its gradients are `matmul`s and a `biasGradient`. */
export function dense(step: ReferenceStep): void {
  const x = operand(step, 'x')
  const w = operand(step, 'w')
  const bias = optional(step, 'bias')?.data
  const y = operand(step, 'y').data
  const activate = activationOf(step)
  const { rows, columns: inputs } = asMatrix(x)
  const { columns: outputs } = asMatrix(w)
  for (let r = 0; r < rows; r++)
    for (let o = 0; o < outputs; o++) {
      let sum = bias ? bias[o]! : 0
      for (let i = 0; i < inputs; i++) sum += x.data[r * inputs + i]! * w.data[i * outputs + o]!
      y[r * outputs + o] = activate(sum)
    }
}
