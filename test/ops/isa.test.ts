import { describe, expect, test } from 'vitest'
import { binding } from '../support/checkCase'

describe('the instruction set', () => {
  test('that CONVLANE_ISA asks for, or the best one, is active, and its kernels are those that run', () => {
    expect(binding.isa()).toBe(process.env.CONVLANE_ISA || binding.isaAvailable()[0])
    expect(binding.kernelIsa()).toBe(binding.isa())
  })

  test('has tiles that its registers hold', () => {
    const { width, rows, vectors } = binding.kernelInfo()
    expect(width).toBe({ scalar: 1, neon: 4, avx2: 8, avx512: 16 }[binding.isa()])
    const registers = { scalar: 16, neon: 32, avx2: 16, avx512: 32 }[binding.isa()]
    for (let v = 1; v <= vectors; v++) expect(rows[v]! * v + v).toBeLessThanOrEqual(registers)
  })

  // (1 + 2⁻¹²)² = 1 + 2⁻¹¹ + 2⁻²⁴, whose last term only a fused multiply-add keeps.
  test('multiplies and adds in one rounding, but scalar in two', () => {
    const x = Float32Array.of(-(1 + 2 ** -11), 1 + 2 ** -12)
    const w = Float32Array.of(1, 1 + 2 ** -12)
    const y = new Float32Array(1)
    const operand = (offset: number, shape: number[]) => ({ space: 'buffer', offset, dtype: 'float32', shape, batched: false }) as const
    binding.execute({ op: 'dense', x: operand(0, [1, 2]), w: operand(1, [2, 1]), y: operand(2, [1, 1]) }, [x, w, y])
    expect(y[0]).toBe(binding.isa() === 'scalar' ? 0 : 2 ** -24)
  })
})
