import { philox4x32 } from '../random'
import { type ReferenceStep, scalarOf } from './step'

/** What augmentation draws for one sample in one stream: word j of the counter (sample, 2³¹ + 64 · stream + ⌊j / 4⌋, step), as a share of 2³². */
export type Draw = (j: number) => number

const halves = (value: number): [low: number, high: number] => [value % 2 ** 32, Math.floor(value / 2 ** 32)]

export function drawsOf(step: ReferenceStep, stream: number, sample: number): Draw {
  const [count, seed] = [halves(scalarOf(step, 'step')), halves(scalarOf(step, 'seed'))]
  return (j) => philox4x32([sample, 2 ** 31 + 64 * stream + Math.floor(j / 4), ...count], seed)[j % 4]! / 2 ** 32
}
