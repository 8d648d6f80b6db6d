import { expect, test } from 'vitest'
import { convProblems } from '../../bench/conv'
import { gemmProblems } from '../../bench/gemm'
import { memoryProblems } from '../../bench/memory-ops'
import { poolProblems } from '../../bench/pool'
import type { PreparedProblem } from '../../bench/problem'
import type { Operand } from '../../binding'
import { loadNative } from '../../lib/native'
import { reference } from '../../lib/reference/index'

const problems = [
  ...convProblems({ id: 'plain', N: 1, C: 2, H: 5, W: 4, OC: 2, KH: 3, KW: 3, stride: 1, pad: 1, groups: 1 }),
  ...convProblems({ id: 'grouped', N: 1, C: 4, H: 4, W: 4, OC: 4, KH: 3, KW: 1, stride: 2, pad: 1, groups: 2 }),
  ...poolProblems({ id: 'overlapping', N: 1, C: 2, H: 6, W: 5, K: 3, stride: 2, pad: 1 }),
  ...memoryProblems({ id: 'images', shape: [2, 2, 3, 4] }).filter(({ pass }) => pass !== 'step'),
  ...gemmProblems({ id: 'gemm', M: 3, N: 4, K: 5 }),
]

function runReference({ calls }: PreparedProblem): void {
  for (const { step, buffers } of calls) {
    const { op, ...rest } = step
    const entries = Object.entries(rest)
    const isOperand = (value: unknown): value is Operand => typeof value === 'object' && !Array.isArray(value)
    const operands = entries.flatMap(([name, value]) =>
      isOperand(value) ? [[name, { shape: value.shape, data: buffers[value.offset]! }]] : [],
    )
    const attributes = Object.fromEntries(entries.filter(([, value]) => !isOperand(value))) as never
    reference[op]!({ operands: Object.fromEntries(operands), attributes, scalars: {} })
  }
}

test.each(problems.map((problem) => [`${problem.kind} ${problem.item} ${problem.pass}`, problem] as const))(
  '%s: the check takes the right result and refuses any wrong number',
  (_name, problem) => {
    const prepared = problem.prepare()
    for (const { buffer, byteOffset } of prepared.calls.flatMap(({ buffers }) => buffers)) {
      expect(loadNative().misalignment(new Uint8Array(buffer as ArrayBuffer, byteOffset))).toBe(0)
    }
    runReference(prepared)
    prepared.check(1)
    for (const output of prepared.outputs) {
      for (let at = 0; at < output.length; at++) {
        const right = output[at]!
        output[at] = right + 1
        expect(() => prepared.check(1)).toThrow(problem.kind === 'memory' ? 'expected' : problem.item)
        output[at] = right
      }
    }
  },
)
