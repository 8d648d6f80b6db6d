import { activationOf } from './activation'
import { numberOf, operand, optional, type ReferenceStep } from './step'

/** Sizes of x, and the elements of a group of a sample, in order, each with its channel. */
function groupsOf(step: ReferenceStep) {
  const { data: x, shape } = operand(step, 'x')
  const [samples, channels, groups] = [shape[0]!, shape.at(-1)!, numberOf(step, 'groups')]
  const positions = x.length / samples / channels
  const each = channels / groups
  const forEach = (sample: number, group: number, visit: (index: number, channel: number) => void) => {
    for (let p = 0; p < positions; p++)
      for (let c = group * each; c < (group + 1) * each; c++) visit((sample * positions + p) * channels + c, c)
  }
  return { x, samples, groups, count: positions * each, epsilon: numberOf(step, 'epsilon'), forEach }
}

/** Each group of channels of each sample less its mean, by its deviation, over all positions; then gamma and beta of each channel. */
export function groupNorm(step: ReferenceStep): void {
  const { x, samples, groups, count, epsilon, forEach } = groupsOf(step)
  const y = operand(step, 'y').data
  const gamma = optional(step, 'gamma')?.data
  const beta = optional(step, 'beta')?.data
  const means = optional(step, 'mean')?.data
  const variances = optional(step, 'variance')?.data
  const act = activationOf(step)
  for (let n = 0; n < samples; n++)
    for (let g = 0; g < groups; g++) {
      let mean = 0
      forEach(n, g, (i) => {
        mean += x[i]! / count
      })
      let variance = 0
      forEach(n, g, (i) => {
        variance += (x[i]! - mean) ** 2 / count
      })
      if (means) means[n * groups + g] = mean
      if (variances) variances[n * groups + g] = variance
      const deviation = Math.sqrt(variance + epsilon)
      forEach(n, g, (i, c) => {
        y[i] = act(((x[i]! - mean) / deviation) * (gamma?.[c] ?? 1) + (beta?.[c] ?? 0))
      })
    }
}

/** As in layer normalization, over the elements of a group: dx = (h − mean of h − x̂ · mean of h · x̂) / deviation, h = gamma · dy. */
export function groupNormBackward(step: ReferenceStep): void {
  const { x, samples, groups, count, epsilon, forEach } = groupsOf(step)
  const dy = operand(step, 'dy').data
  const mean = operand(step, 'mean').data
  const variance = operand(step, 'variance').data
  const gamma = optional(step, 'gamma')?.data
  const dx = optional(step, 'dx')?.data
  const dgamma = optional(step, 'dgamma')?.data.fill(0)
  const dbeta = optional(step, 'dbeta')?.data.fill(0)
  for (let n = 0; n < samples; n++)
    for (let g = 0; g < groups; g++) {
      const deviation = Math.sqrt(variance[n * groups + g]! + epsilon)
      const hat = (i: number) => (x[i]! - mean[n * groups + g]!) / deviation
      let sum = 0
      let product = 0
      forEach(n, g, (i, c) => {
        sum += dy[i]! * (gamma?.[c] ?? 1)
        product += dy[i]! * (gamma?.[c] ?? 1) * hat(i)
        if (dgamma) dgamma[c]! += dy[i]! * hat(i)
        if (dbeta) dbeta[c]! += dy[i]!
      })
      if (!dx) continue
      forEach(n, g, (i, c) => {
        dx[i] = (dy[i]! * (gamma?.[c] ?? 1) - sum / count - (hat(i) * product) / count) / deviation
      })
    }
}
