import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkNumber, type Padding, type Padding1d, type Padding3d, type Pair, type Triple } from '../shape'
import type { Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { Axes } from './convolution'
import type { OpDefinition } from './op'
import { checkPoolGradient, inferPool, inferPoolBackward, type PoolOptions, preparePool } from './pool'

interface LpPoolOps {
  readonly axes: Axes
  readonly forward: OpDefinition
  readonly backward: OpDefinition
}

function lpPoolOps(axes: Axes): LpPoolOps {
  const name = `lpPool${axes}d`
  const forward: OpDefinition = {
    name,
    inputs: ['x'],
    outputs: ['y'],
    shapeAttributes: ['ceil'],
    infer: ([x], attributes, label) => [{ shape: inferPool(x!, attributes, label), dtype: 'float32' }],
    gradient({ inputs: [x], outputs: [y], attributes, label }, [dy]) {
      return [call(backward, [dy!, x!, y!], { ...attributes, shape: x!.shape.slice(1) as number[] }, { name: label })[0] as Value]
    },
  }
  const backward: OpDefinition = {
    name: `${name}Backward`,
    inputs: ['dy', 'x', 'y'],
    outputs: ['dx'],
    shapeAttributes: ['shape', 'ceil'],
    infer: ([dy], attributes, label) => [inferPoolBackward(dy!, attributes, label)],
  }
  return { axes, forward, backward }
}

const lines = lpPoolOps(1)
const images = lpPoolOps(2)
const volumes = lpPoolOps(3)
/** Those of one to three axes. */
export const lpPools = { 1: lines, 2: images, 3: volumes } as const

export interface LpPoolOptions<Sizes = number | Pair, Pad = Padding> extends PoolOptions<Sizes, Pad> {
  /** From 1 (the sum of magnitudes) to 64; the larger, the nearer to the maximum. Default 2: the root of the sum of squares. */
  readonly p?: number | undefined
}
type Options = LpPoolOptions<unknown, unknown>

function prepare(axes: Axes, x: Operand, size: unknown, options: Options, label: string) {
  const { image, shape, attributes } = preparePool(axes, x, size, options, ['p'], label)
  return { image, shape, attributes: { ...attributes, p: checkNumber(options.p ?? 2, label, 'p', { low: 1, high: 64 }) } }
}

/** What `lpPool1d`, `lpPool2d` and `lpPool3d` do. */
export function lpPool({ axes, forward }: LpPoolOps, x: Operand, size: unknown, options: Options = {}): Operand {
  const { attributes } = prepare(axes, x, size, options, labelOf(forward.name, options?.name))
  return call(forward, [x], attributes, options)[0]!
}

function poolBackward({ axes, forward, backward }: LpPoolOps, dy: Operand, x: Operand, size: unknown, options: Options = {}) {
  const label = labelOf(backward.name, options?.name)
  const { image, shape, attributes } = prepare(axes, x, size, options, label)
  checkPoolGradient(typeOf(dy, label, 'dy'), shape, label)
  const y = call(forward, [x], attributes, options)[0]!
  return { dx: call(backward, [dy, x, y], { ...attributes, shape: image.shape.slice(1) as number[] }, options)[0]! }
}

/**
 * (Σ |x|ᵖ)^(1/p) over each window: `x [N, L, C]` → `[N, OL, C]`. With p = 2 the "square-root" pooling of text books. Only pixels inside the input are
 * summed; PyTorch, at the border of a `ceil` size, scales them up to a whole window. Throws as `averagePool1d` does.
 */
export function lpPool1d(
  x: Tensor,
  size: number | readonly [number],
  options?: LpPoolOptions<number | readonly [number], Padding1d>,
): Tensor
export function lpPool1d(x: Value, size: number | readonly [number], options?: LpPoolOptions<number | readonly [number], Padding1d>): Value
export function lpPool1d(x: Operand, size: unknown, options?: Options): Operand {
  return lpPool(lines, x, size, options)
}

/** As `lpPool1d`: `x [N, H, W, C]` → `[N, OH, OW, C]`. */
export function lpPool2d(x: Tensor, size: number | Pair, options?: LpPoolOptions): Tensor
export function lpPool2d(x: Value, size: number | Pair, options?: LpPoolOptions): Value
export function lpPool2d(x: Operand, size: unknown, options?: Options): Operand {
  return lpPool(images, x, size, options)
}

/** As `lpPool1d`: `x [N, D, H, W, C]` → `[N, OD, OH, OW, C]`. */
export function lpPool3d(x: Tensor, size: number | Triple, options?: LpPoolOptions<number | Triple, Padding3d>): Tensor
export function lpPool3d(x: Value, size: number | Triple, options?: LpPoolOptions<number | Triple, Padding3d>): Value
export function lpPool3d(x: Operand, size: unknown, options?: Options): Operand {
  return lpPool(volumes, x, size, options)
}

/** `{ dx }`: each window gives dy · sign(x) · (|x| / y)^(p − 1) to its pixels, and nothing where y is 0 (PyTorch: NaN). Throws as `lpPool1d` does. */
export function lpPool1dBackward(
  dy: Tensor,
  x: Tensor,
  size: number | readonly [number],
  options?: LpPoolOptions<number | readonly [number], Padding1d>,
): { dx: Tensor }
export function lpPool1dBackward(
  dy: Value,
  x: Value,
  size: number | readonly [number],
  options?: LpPoolOptions<number | readonly [number], Padding1d>,
): { dx: Value }
export function lpPool1dBackward(dy: Operand, x: Operand, size: unknown, options?: Options): { dx: Operand } {
  return poolBackward(lines, dy, x, size, options)
}

/** `{ dx }`, as `lpPool1dBackward`. */
export function lpPool2dBackward(dy: Tensor, x: Tensor, size: number | Pair, options?: LpPoolOptions): { dx: Tensor }
export function lpPool2dBackward(dy: Value, x: Value, size: number | Pair, options?: LpPoolOptions): { dx: Value }
export function lpPool2dBackward(dy: Operand, x: Operand, size: unknown, options?: Options): { dx: Operand } {
  return poolBackward(images, dy, x, size, options)
}

/** `{ dx }`, as `lpPool1dBackward`. */
export function lpPool3dBackward(
  dy: Tensor,
  x: Tensor,
  size: number | Triple,
  options?: LpPoolOptions<number | Triple, Padding3d>,
): { dx: Tensor }
export function lpPool3dBackward(
  dy: Value,
  x: Value,
  size: number | Triple,
  options?: LpPoolOptions<number | Triple, Padding3d>,
): { dx: Value }
export function lpPool3dBackward(dy: Operand, x: Operand, size: unknown, options?: Options): { dx: Operand } {
  return poolBackward(volumes, dy, x, size, options)
}
