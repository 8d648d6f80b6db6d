import { asMatrix, flagOf, operand, type ReferenceStep } from './step'

/** y = a · b; a is stored as [K, M] with `transposeA`, b as [N, K] with `transposeB`. */
export function matmul(step: ReferenceStep): void {
  const a = operand(step, 'a')
  const b = operand(step, 'b')
  const y = operand(step, 'y')
  const transposeA = flagOf(step, 'transposeA')
  const transposeB = flagOf(step, 'transposeB')
  const { rows: M, columns: N } = asMatrix(y)
  const K = transposeA ? asMatrix(a).rows : asMatrix(a).columns
  for (let m = 0; m < M; m++)
    for (let n = 0; n < N; n++) {
      let sum = 0
      for (let k = 0; k < K; k++) sum += a.data[transposeA ? k * M + m : m * K + k]! * b.data[transposeB ? n * K + k : k * N + n]!
      y.data[m * N + n] = sum
    }
}
