import { activationOf } from './activation'
import { asMatrix, numberOf, operand, optional, type ReferenceStep } from './step'

/** Elements of x with their channel, and what is known of that channel. */
function matrixOf(step: ReferenceStep) {
  const x = operand(step, 'x')
  const { rows, columns } = asMatrix(x)
  const gamma = optional(step, 'gamma')?.data
  const beta = optional(step, 'beta')?.data
  return { x: x.data, rows, columns, epsilon: numberOf(step, 'epsilon'), gamma, beta }
}

function normalized(step: ReferenceStep, mean: ArrayLike<number>, variance: ArrayLike<number>): void {
  const { x, rows, columns, epsilon, gamma, beta } = matrixOf(step)
  const y = operand(step, 'y').data
  const residual = optional(step, 'residual')?.data
  const act = activationOf(step)
  for (let c = 0; c < columns; c++) {
    const deviation = Math.sqrt(variance[c]! + epsilon)
    for (let i = c; i < rows * columns; i += columns) {
      const value = ((x[i]! - mean[c]!) / deviation) * (gamma?.[c] ?? 1) + (beta?.[c] ?? 0)
      y[i] = act(value + (residual?.[i] ?? 0))
    }
  }
}

/** Mean and variance (that of the batch itself: over the number of rows) of each channel, and x brought to mean beta and deviation gamma. */
export function batchNorm(step: ReferenceStep): void {
  const { x, rows, columns } = matrixOf(step)
  const means = new Float64Array(columns)
  const variances = new Float64Array(columns)
  for (let c = 0; c < columns; c++) {
    let sum = 0
    for (let i = c; i < rows * columns; i += columns) sum += x[i]!
    const mean = sum / rows
    let squares = 0
    for (let i = c; i < rows * columns; i += columns) squares += (x[i]! - mean) ** 2
    means[c] = mean
    variances[c] = squares / rows
  }
  normalized(step, means, variances)
  operand(step, 'mean').data.set(means)
  operand(step, 'variance').data.set(variances)
}

export function batchNormInference(step: ReferenceStep): void {
  normalized(step, operand(step, 'mean').data, operand(step, 'variance').data)
}

/**
 * Mean and variance depend on x too: dx = gamma / deviation · (dy − mean of dy − x̂ · mean of dy · x̂). With relu, dy is 0 where y isn't positive. In double
 * precision a product of two rounded numbers is exact, and a sum has the right sign: y is positive here exactly where it is in float32.
 */
export function batchNormBackward(step: ReferenceStep): void {
  const { x, rows, columns, epsilon, gamma, beta } = matrixOf(step)
  const isGated = step.attributes.activation === 'relu'
  const given = operand(step, 'dy').data
  const mean = operand(step, 'mean').data
  const variance = operand(step, 'variance').data
  const dx = optional(step, 'dx')?.data
  const dgamma = optional(step, 'dgamma')?.data
  const dbeta = optional(step, 'dbeta')?.data
  for (let c = 0; c < columns; c++) {
    const deviation = Math.sqrt(variance[c]! + epsilon)
    const hat = (i: number) => (x[i]! - mean[c]!) / deviation
    const scale = Math.fround((gamma?.[c] ?? 1) * (1 / deviation))
    const dy = (i: number) => (isGated && !(Math.fround(x[i]! - mean[c]!) * scale + (beta?.[c] ?? 0) > 0) ? 0 : given[i]!)
    let sum = 0
    let product = 0
    for (let i = c; i < rows * columns; i += columns) {
      sum += dy(i)
      product += dy(i) * hat(i)
    }
    const factor = (gamma?.[c] ?? 1) / deviation
    if (dx) for (let i = c; i < rows * columns; i += columns) dx[i] = factor * (dy(i) - sum / rows - (hat(i) * product) / rows)
    if (dgamma) dgamma[c] = product
    if (dbeta) dbeta[c] = sum
  }
}
