import { ConvlaneError } from '../errors'
import { shapeText } from '../shape'
import type { Tensor } from '../tensor'
import type { Architecture } from './architecture'

/**
 * What makes rows of probabilities, by class number, of what a classifier's `predict` gave: these themselves, where it ends in a softmax or a sigmoid, else of
 * logits. A single number is of the second of two classes. Throws UNSUPPORTED for a model that does not give `[N, K]`; what it gives throws NOT_FINITE where a
 * sample has no probabilities. `label` begins messages.
 */
export function probabilitiesOf({ inputs, layers, calls, outputs }: Architecture, label: string): (said: Tensor) => number[][] {
  const [output, ...others] = outputs
  if (others.length > 0 || output!.shape.length !== 1) {
    const shapes = outputs.map(({ shape }) => shapeText([null, ...shape])).join(' and ')
    throw new ConvlaneError(
      'UNSUPPORTED',
      `${label}: expected a model of one output [N, K] that tells classes apart, this one gives ${shapes}`,
    )
  }
  const call = calls[output!.place - inputs.length]
  const last = call && layers[call.layer]!.layer
  const ends = (activation: string) => last !== undefined && (last.type === activation || last.config().activation === activation)
  const columns = output!.shape[0]!
  const toRow =
    columns === 1 ? ofTwo(ends('sigmoid')) : ends('softmax') || ends('sigmoid') ? asTheyAre : ends('logSoftmax') ? powers : softmax
  return ({ shape, data }) => {
    const rows = Array.from({ length: shape[0]! }, (_, row) => toRow([...data.subarray(row * columns, (row + 1) * columns)]))
    checkFinite(rows, label)
    return rows
  }
}

function checkFinite(rows: readonly (readonly number[])[], label: string): void {
  const received = rows.flatMap((row, sample) => (row.every(Number.isFinite) ? [] : [sample]))
  if (received.length === 0) return
  const message = `${label}: what the model gives for ${received.length} of ${rows.length} samples makes no probabilities: NaN or infinite`
  throw new ConvlaneError('NOT_FINITE', message, { expected: 'finite numbers', received })
}

const asTheyAre = (scores: number[]): number[] => scores
const powers = (logarithms: number[]): number[] => logarithms.map(Math.exp)

const ofTwo = (isProbability: boolean) => {
  return ([score]: number[]): number[] => {
    const second = isProbability ? score! : 1 / (1 + Math.exp(-score!))
    return [1 - second, second]
  }
}

function softmax(logits: number[]): number[] {
  const most = Math.max(...logits)
  const shares = powers(logits.map((logit) => logit - most))
  const sum = shares.reduce((total, share) => total + share, 0)
  return shares.map((share) => share / sum)
}
