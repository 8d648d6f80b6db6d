import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkRank, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkFlag, checkOptions, type OpOptions } from './options'

export const matmulOp: OpDefinition = {
  name: 'matmul',
  inputs: ['a', 'b'],
  outputs: ['y'],
  infer([a, b], { transposeA, transposeB }, label) {
    checkRank(a!.shape, transposeA ? ['K', 'M'] : ['M', 'K'], label, 'a')
    checkRank(b!.shape, transposeB ? ['N', 'K'] : ['K', 'N'], label, 'b')
    const [M, K] = transposeA ? [a!.shape[1]!, a!.shape[0]!] : [a!.shape[0]!, a!.shape[1]!]
    const [N, depth] = transposeB ? [b!.shape[0]!, b!.shape[1]!] : [b!.shape[1]!, b!.shape[0]!]
    if (K !== depth) {
      const message = `${label}: a ${shapeText(a!.shape)} has ${K ?? 'N'} columns, b ${shapeText(b!.shape)} has ${depth ?? 'N'} rows`
      throw new ConvlaneError('INVALID_SHAPE', transposeA || transposeB ? `${message}, after transposing` : message, {
        expected: K,
        received: depth,
      })
    }
    if (N === null) throw new ConvlaneError('INVALID_SHAPE', `${label}: the batch size cannot be the second size of the result`)
    return [{ shape: [M, N], dtype: 'float32' }]
  },
  gradient({ inputs, attributes }, dys, wanted) {
    const [a, b, dy] = [inputs[0]!, inputs[1]!, dys[0]!]
    const { transposeA, transposeB } = attributes as { transposeA: boolean; transposeB: boolean }
    const da = () => (transposeA ? matmul(b, dy, { transposeA: transposeB, transposeB: true }) : matmul(dy, b, { transposeB: !transposeB }))
    const db = () => (transposeB ? matmul(dy, a, { transposeA: true, transposeB: transposeA }) : matmul(a, dy, { transposeA: !transposeA }))
    return [wanted[0] ? da() : undefined, wanted[1] ? db() : undefined]
  },
  multiplyAdds: ([a], [y], { transposeA }) => (y!.shape[0] ?? 1) * y!.shape[1]! * (a!.shape[transposeA ? 0 : 1] ?? 1),
}

export interface MatmulOptions extends OpOptions {
  /** Reads `a` as `[K, M]`. Default false. */
  readonly transposeA?: boolean | undefined
  /** Reads `b` as `[N, K]`. Default false. */
  readonly transposeB?: boolean | undefined
}

/** `a [M, K]` times `b [K, N]` → `[M, N]`. Throws `INVALID_SHAPE` when they don't fit. */
export function matmul(a: Tensor, b: Tensor, options?: MatmulOptions): Tensor
export function matmul(a: Value, b: Value, options?: MatmulOptions): Value
export function matmul(a: Operand, b: Operand, options: MatmulOptions = {}): Operand {
  const label = labelOf('matmul', options?.name)
  checkOptions(options, ['transposeA', 'transposeB'], label)
  const transposeA = checkFlag(options.transposeA, label, 'transposeA')
  const transposeB = checkFlag(options.transposeB, label, 'transposeB')
  typeOf(a, label, 'a')
  typeOf(b, label, 'b')
  return call(matmulOp, [a, b], { transposeA, transposeB }, options)[0]!
}
