/**
 * How exact each algorithm of a convolution is: its distance from the reference in double precision, by the size of the result. Normal data, weights of He's
 * variance. `npm run bench:error`
 */
import { parseArgs } from 'node:util'
import { loadNative } from '#lib/native'
import { RandomStream } from '#lib/random'
import { reference } from '#lib/reference/index'
import type { Binding, Step } from '../binding'
import { operand } from './problem'

const USAGE = `npm run bench:error -- [--shape N,C,H,W,OC,K]...

  --shape  images, channels, height, width, filters and window of a convolution with stride 1 that keeps the size (default: three of them)`

const SHAPES = ['4,64,28,28,64,3', '2,512,14,14,64,3', '4,32,14,14,64,5']

type Name = 'x' | 'w' | 'y'
interface Pass {
  readonly op: string
  /** Names of the operands that play x, w and y. */
  readonly names: Readonly<Record<Name, string>>
  readonly written: Name
}
const passes: readonly Pass[] = [
  { op: 'conv2d', names: { x: 'x', w: 'w', y: 'y' }, written: 'y' },
  { op: 'conv2dBackwardInput', names: { x: 'dx', w: 'w', y: 'dy' }, written: 'x' },
  { op: 'conv2dBackwardWeights', names: { x: 'x', w: 'dw', y: 'dy' }, written: 'w' },
]

function normal(length: number, deviation: number, number: number): Float32Array {
  const random = new RandomStream(1, 'weights', number)
  return Float32Array.from({ length }, () => random.normal(0, deviation))
}

function* errorsOf(binding: Binding, [n, c, h, w, oc, k]: readonly number[]): Generator<string> {
  const shapes = { x: [n!, h!, w!, c!], w: [k!, k!, c!, oc!], y: [n!, h!, w!, oc!] }
  const size = (name: Name) => shapes[name].reduce((product, length) => product * length, 1)
  const pad = (k! - 1) / 2
  const sides = [pad, pad]
  const attributes = { stride: [1, 1], padding: [sides, sides], dilation: [1, 1], groups: 1, activation: 'linear' }
  const deviation = { x: 1, w: Math.sqrt(2 / (k! * k! * c!)), y: 1 }
  for (const { op, names, written } of passes) {
    const data = { x: normal(size('x'), deviation.x, 0), w: normal(size('w'), deviation.w, 1), y: normal(size('y'), deviation.y, 2) }
    const expected = new Float64Array(size(written))
    const operands = (['x', 'w', 'y'] as const).map((name) => [
      names[name],
      { shape: shapes[name], data: name === written ? expected : data[name] },
    ])
    reference[op]!({ operands: Object.fromEntries(operands), attributes, scalars: {} })
    const step: Step = {
      ...attributes,
      op,
      ...Object.fromEntries((['x', 'w', 'y'] as const).map((name, i) => [names[name], operand(i, shapes[name])])),
    }
    for (const algorithm of binding.algorithms(step)) {
      binding.execute({ ...step, algorithm }, [data.x, data.w, data.y])
      yield `| ${[`[${shapes.x}] ${k}×${k} to ${oc}`, op, algorithm, ...distance(data[written], expected)].join(' | ')} |`
    }
  }
}

/** Root mean square and largest of the errors, by the root mean square of what is expected. */
function distance(actual: Float32Array, expected: Float64Array): string[] {
  let [squares, errors, largest] = [0, 0, 0]
  expected.forEach((value, i) => {
    const error = Math.abs(actual[i]! - value)
    squares += value * value
    errors += error * error
    largest = Math.max(largest, error)
  })
  const scale = Math.sqrt(squares / expected.length)
  return [Math.sqrt(errors / expected.length) / scale, largest / scale].map((value) => value.toExponential(1))
}

function main(): void {
  const { values } = parseArgs({ options: { shape: { type: 'string', multiple: true }, help: { type: 'boolean' } } })
  if (values.help) return void process.stdout.write(`${USAGE}\n`)
  const shapes = (values.shape ?? SHAPES).map((text) => text.split(',').map(Number))
  const isShape = (shape: readonly number[]) =>
    shape.length === 6 && shape.every((size) => Number.isInteger(size) && size > 0) && shape[5]! % 2 === 1
  if (!shapes.every(isShape)) throw new Error(`--shape: expected six positive integers N,C,H,W,OC,K with an odd K\n\n${USAGE}`)
  const binding = loadNative()
  process.stdout.write(
    `${binding.isa()} kernels\n\n| convolution | pass | algorithm | rms error | largest error |\n|---|---|---|---|---|\n`,
  )
  for (const shape of shapes) for (const line of errorsOf(binding, shape)) process.stdout.write(`${line}\n`)
}

try {
  main()
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`)
  process.exitCode = 1
}
