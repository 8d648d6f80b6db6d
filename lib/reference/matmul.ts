import { placesOf } from './broadcast'
import { flagOf, operand, type ReferenceStep } from './step'

/** y = a · b; a is stored as [..., K, M] with `transposeA`, b as [..., N, K] with `transposeB`; the axes before the last two are broadcast. */
export function matmul(step: ReferenceStep): void {
  const [a, b, y] = [operand(step, 'a'), operand(step, 'b'), operand(step, 'y')]
  const transposeA = flagOf(step, 'transposeA')
  const transposeB = flagOf(step, 'transposeB')
  const [M, N] = y.shape.slice(-2) as [number, number]
  const K = a.shape.at(transposeA ? -2 : -1)!
  const stackOf = ({ shape }: { shape: readonly number[] }) => ({ shape: shape.slice(0, -2), data: new Float64Array() })
  const stack = stackOf(y).shape
  const [placeA, placeB] = [placesOf(stackOf(a), stack), placesOf(stackOf(b), stack)]
  for (let i = 0; i < y.data.length / (M * N); i++) {
    const [atA, atB] = [placeA(i) * M * K, placeB(i) * K * N]
    for (let m = 0; m < M; m++)
      for (let n = 0; n < N; n++) {
        let sum = 0
        for (let k = 0; k < K; k++)
          sum += a.data[atA + (transposeA ? k * M + m : m * K + k)]! * b.data[atB + (transposeB ? n * K + k : k * N + n)]!
        y.data[i * M * N + m * N + n] = sum
      }
  }
}
