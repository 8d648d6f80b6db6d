import type { Step } from '../binding'
import { Dot, floats, operand, type PreparedProblem, type Problem, randomData, samplePositions } from './problem'
import type { GemmShape } from './suite'

const SAMPLES = 256

/** y = a · b, all row-major. */
export function gemmProblems({ id, M, N, K }: GemmShape): Problem[] {
  const bytes = 4 * (M * K + K * N + M * N)
  const order = `gemm fwd ${M} ${N} ${K}`
  return [{ kind: 'gemm', item: id, fmt: 'rowmajor', pass: 'fwd', order, flops: 2 * M * N * K, bytes, prepare: () => prepare(id, M, N, K) }]
}

function prepare(id: string, M: number, N: number, K: number): PreparedProblem {
  const buffers = [randomData(M * K, 1), randomData(K * N, 2), floats(M * N)] as const
  const step: Step = {
    op: 'matmul',
    a: operand(0, [M, K]),
    b: operand(1, [K, N]),
    y: operand(2, [M, N]),
    transposeA: false,
    transposeB: false,
  }
  const samples = samplePositions(M * N, SAMPLES)
  const check = () => {
    for (const at of samples) {
      const dot = new Dot()
      for (let k = 0; k < K; k++) dot.add(buffers[0][Math.floor(at / N) * K + k]!, buffers[1][k * N + (at % N)]!)
      dot.expect(buffers[2][at]!, `gemm ${id} at ${at}`)
    }
  }
  return { calls: [{ step, buffers }], outputs: [buffers[2]], samples: [samples], check }
}
