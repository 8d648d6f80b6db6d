import { expect } from 'vitest'
import { ConvlaneError, type ErrorCode } from '../../lib/errors'
import type { Tensor } from '../../lib/tensor'
import { Random } from './random'

/** Models are tested on both. */
export const runtimes = ['reference', 'native'] as const
export type RuntimeName = (typeof runtimes)[number]

/** A tensor of seeded numbers between -1 and 1. */
export function randomTensor(shape: readonly number[], seed: number): Tensor {
  const random = new Random(seed)
  const length = shape.reduce((product, size) => product * size, 1)
  return { shape, data: Float32Array.from({ length }, () => random.between(-1, 1)) }
}

/** Class numbers, one after the other. */
export function someLabels(n: number, classes: number) {
  return { shape: [n] as const, data: Int32Array.from({ length: n }, (_, index) => (index * 7 + 3) % classes) }
}

/** What a call throws, at once or by rejecting; it must be a ConvlaneError. */
export async function errorOf(call: () => unknown): Promise<ConvlaneError> {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
  expect(error).toBeInstanceOf(ConvlaneError)
  return error as ConvlaneError
}

/** Expects a ConvlaneError of that code whose message holds or matches. */
export async function expectError(call: () => unknown, code: ErrorCode, message: string | RegExp): Promise<void> {
  const error = await errorOf(call)
  expect(error.message).toMatch(message)
  expect(error.code).toBe(code)
}
