import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { checkRank, elementCount, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { broadcastShapes, sumTo } from './broadcast'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkFlag, checkOptions, type OpOptions } from './options'

export const matmulOp: OpDefinition = {
  name: 'matmul',
  inputs: ['a', 'b'],
  outputs: ['y'],
  infer([a, b], { transposeA, transposeB }, label) {
    if (a!.shape.length > 2 || b!.shape.length > 2) return [inferStacks(a!, b!, transposeA === true, transposeB === true, label)]
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
    return [wanted[0] ? sumTo(da(), a.shape) : undefined, wanted[1] ? sumTo(db(), b.shape) : undefined]
  },
  multiplyAdds: ([a], [y], { transposeA }) => elementCount(y!.shape, 'matmul') * (a!.shape.at(transposeA ? -2 : -1) ?? 1),
}

/** Stacks of matrices: the axes before the last two are broadcast. */
function inferStacks(a: TensorType, b: TensorType, transposeA: boolean, transposeB: boolean, label: string): TensorType {
  for (const [name, { shape }] of [['a', a] as const, ['b', b] as const]) {
    if (shape.length >= 2 && !shape.slice(-2).includes(null)) continue
    const message = `${label}: ${name} must have two axes for its matrices, the batch aside, received ${shapeText(shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { received: shape })
  }
  const [M, K] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!]
  const [N, depth] = transposeB ? [b.shape.at(-2)!, b.shape.at(-1)!] : [b.shape.at(-1)!, b.shape.at(-2)!]
  if (K !== depth) {
    const message = `${label}: a ${shapeText(a.shape)} has ${K} columns, b ${shapeText(b.shape)} has ${depth} rows`
    throw new ConvlaneError('INVALID_SHAPE', transposeA || transposeB ? `${message}, after transposing` : message, {
      expected: K,
      received: depth,
    })
  }
  const stacks = [a, b].map(({ shape, dtype }) => ({ shape: shape.slice(0, -2), dtype }))
  return { shape: [...broadcastShapes(stacks, label, ['the stacks of a', 'b']), M, N], dtype: 'float32' }
}

export interface MatmulOptions extends OpOptions {
  /** Reads `a` as `[K, M]`. Default false. */
  readonly transposeA?: boolean | undefined
  /** Reads `b` as `[N, K]`. Default false. */
  readonly transposeB?: boolean | undefined
}

/**
 * `a [M, K]` times `b [K, N]` → `[M, N]`. With more axes, stacks of matrices: the axes before the last two are broadcast as numpy does, `[..., M, K]` and
 * `[..., K, N]` → `[..., M, N]`, and the batch is one of them. Throws `INVALID_SHAPE` when they don't fit.
 */
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
