import { loadNative } from '#lib/native'
import type { Operand, Step } from '../binding'

/** One row to be: an op on one shape in one direction, with every algorithm that can do it. */
export interface Problem {
  readonly kind: 'conv' | 'pool' | 'memory' | 'gemm'
  readonly item: string
  readonly fmt: string
  readonly pass: string
  /** The same in the words of an order to a peer (peers/README.md). */
  readonly order: string
  /** Floating-point operations of one run; 0 where memory is what limits. */
  readonly flops: number
  /** Bytes read and written at least. */
  readonly bytes: number
  /** Allocates and fills the buffers. */
  prepare(): PreparedProblem
}

export type Buffer = Float32Array | Int32Array

export interface PreparedProblem {
  /** What to execute, in order, each step on buffers of its own. `algorithm` applies to those that take one. */
  readonly calls: readonly {
    readonly step: Step
    readonly buffers: readonly Buffer[]
    readonly scalars?: Readonly<Record<string, number>>
  }[]
  /** The buffers that are written. */
  readonly outputs: readonly Buffer[]
  /** The positions of each output that `check` looks at. */
  readonly samples: readonly (readonly number[])[]
  /** Throws when what the last run wrote differs from the definition at these positions, computed in double precision, by more than `slack` roundings. */
  check(slack: number): void
}

export function operand(index: number, shape: readonly number[], dtype: 'float32' | 'int32' = 'float32'): Operand {
  return { space: 'buffer', offset: index, dtype, shape, batched: false }
}

/** Bytes that begin at a multiple of 64, as operands do in programs and in the tensors of other libraries; a plain ArrayBuffer begins 16 behind one. */
function aligned(bytes: number): readonly [ArrayBuffer, number] {
  const buffer = new ArrayBuffer(bytes + 64)
  return [buffer, (64 - loadNative().misalignment(new Uint8Array(buffer))) % 64]
}

export const floats = (length: number): Float32Array => new Float32Array(...aligned(4 * length), length)
export const integers = (length: number): Int32Array => new Int32Array(...aligned(4 * length), length)

/** The same numbers in [-1, 1) on every run. */
export function randomData(length: number, seed: number): Float32Array {
  const data = floats(length)
  let state = seed >>> 0
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    data[i] = state / 2 ** 31 - 1
  }
  return data
}

/** A dot product in double precision, with what rounding in float32 may move it by. */
export class Dot {
  value = 0
  private terms = 0
  private magnitude = 0

  add(a: number, b: number): void {
    this.value += a * b
    this.magnitude += Math.abs(a * b)
    this.terms++
  }

  expect(received: number, where: string, slack = 1): void {
    const tolerance = slack * 2 ** -23 * (8 + Math.sqrt(this.terms)) * this.magnitude
    if (!(Math.abs(received - this.value) <= tolerance))
      throw new Error(`${where}: expected ${this.value} ± ${tolerance}, received ${received}`)
  }
}

/** About `count` positions of a tensor, spread over it, its first and last one among them. */
export function samplePositions(length: number, count: number): number[] {
  const positions = new Set([0, length - 1])
  const stride = Math.max(1, length / count)
  for (let at = stride / 2; at < length; at += stride) positions.add(Math.floor(at))
  return [...positions]
}
