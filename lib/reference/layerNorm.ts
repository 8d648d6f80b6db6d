import { activationOf } from './activation'
import { numberOf, operand, optional, type ReferenceOperand, type ReferenceStep } from './step'

/** Rows and columns of x where its last `axes` axes are a row. */
function rowsOf(step: ReferenceStep) {
  const { data, shape }: ReferenceOperand = operand(step, 'x')
  const columns = shape.slice(shape.length - numberOf(step, 'axes')).reduce((product, size) => product * size, 1)
  return { x: data, columns, rows: data.length / columns, epsilon: numberOf(step, 'epsilon') }
}

/** Each row less its mean, by its deviation; then gamma and beta of each column. */
export function layerNorm(step: ReferenceStep): void {
  const { x, rows, columns, epsilon } = rowsOf(step)
  const y = operand(step, 'y').data
  const gamma = optional(step, 'gamma')?.data
  const beta = optional(step, 'beta')?.data
  const means = optional(step, 'mean')?.data
  const variances = optional(step, 'variance')?.data
  const act = activationOf(step)
  for (let r = 0; r < rows; r++) {
    let mean = 0
    for (let c = 0; c < columns; c++) mean += x[r * columns + c]! / columns
    let variance = 0
    for (let c = 0; c < columns; c++) variance += (x[r * columns + c]! - mean) ** 2 / columns
    if (means) means[r] = mean
    if (variances) variances[r] = variance
    const deviation = Math.sqrt(variance + epsilon)
    for (let c = 0; c < columns; c++) {
      const hat = (x[r * columns + c]! - mean) / deviation
      y[r * columns + c] = act(hat * (gamma?.[c] ?? 1) + (beta?.[c] ?? 0))
    }
  }
}

/** Mean and variance depend on x too: dx = (g − mean of g − x̂ · mean of g · x̂) / deviation, g = gamma · dy. */
export function layerNormBackward(step: ReferenceStep): void {
  const { x, rows, columns, epsilon } = rowsOf(step)
  const dy = operand(step, 'dy').data
  const mean = operand(step, 'mean').data
  const variance = operand(step, 'variance').data
  const gamma = optional(step, 'gamma')?.data
  const dx = optional(step, 'dx')?.data
  const dgamma = optional(step, 'dgamma')?.data.fill(0)
  const dbeta = optional(step, 'dbeta')?.data.fill(0)
  for (let r = 0; r < rows; r++) {
    const deviation = Math.sqrt(variance[r]! + epsilon)
    const hat = (c: number) => (x[r * columns + c]! - mean[r]!) / deviation
    const g = (c: number) => dy[r * columns + c]! * (gamma?.[c] ?? 1)
    let sum = 0
    let product = 0
    for (let c = 0; c < columns; c++) {
      sum += g(c)
      product += g(c) * hat(c)
    }
    for (let c = 0; c < columns; c++) {
      if (dx) dx[r * columns + c] = (g(c) - sum / columns - (hat(c) * product) / columns) / deviation
      if (dgamma) dgamma[c]! += dy[r * columns + c]! * hat(c)
      if (dbeta) dbeta[c]! += dy[r * columns + c]!
    }
  }
}

/** Each row by the root of its mean square; then gamma of each column. */
export function rmsNorm(step: ReferenceStep): void {
  const { x, rows, columns, epsilon } = rowsOf(step)
  const y = operand(step, 'y').data
  const gamma = optional(step, 'gamma')?.data
  const squares = optional(step, 'meanSquare')?.data
  const act = activationOf(step)
  for (let r = 0; r < rows; r++) {
    let square = 0
    for (let c = 0; c < columns; c++) square += x[r * columns + c]! ** 2 / columns
    if (squares) squares[r] = square
    const root = Math.sqrt(square + epsilon)
    for (let c = 0; c < columns; c++) y[r * columns + c] = act((x[r * columns + c]! / root) * (gamma?.[c] ?? 1))
  }
}

/** dx = (g − x̂ · mean of g · x̂) / root, g = gamma · dy. */
export function rmsNormBackward(step: ReferenceStep): void {
  const { x, rows, columns, epsilon } = rowsOf(step)
  const dy = operand(step, 'dy').data
  const meanSquare = operand(step, 'meanSquare').data
  const gamma = optional(step, 'gamma')?.data
  const dx = optional(step, 'dx')?.data
  const dgamma = optional(step, 'dgamma')?.data.fill(0)
  for (let r = 0; r < rows; r++) {
    const root = Math.sqrt(meanSquare[r]! + epsilon)
    let product = 0
    for (let i = r * columns; i < (r + 1) * columns; i++) product += (dy[i]! * (gamma?.[i % columns] ?? 1) * x[i]!) / root
    for (let i = r * columns; i < (r + 1) * columns; i++) {
      const hat = x[i]! / root
      if (dx) dx[i] = (dy[i]! * (gamma?.[i % columns] ?? 1) - (hat * product) / columns) / root
      if (dgamma) dgamma[i % columns]! += dy[i]! * hat
    }
  }
}
