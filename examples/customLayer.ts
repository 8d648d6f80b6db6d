/**
 * A layer of your own, as good as those that convlane has: squeeze-and-excitation (Hu, Shen and Sun, 2018), which weighs the channels of an image by what the
 * whole image is like. Its gradient follows from its ops, and is compared with differences; it is trained, saved and loaded.
 *
 *     customLayer.ts [REDUCTION]     how many times fewer units than channels, 4: about a second
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adam,
  type BuildContext,
  conv2d,
  dense,
  digits,
  flatten,
  Layer,
  type LayerConfig,
  loadModel,
  type Parameter,
  registerLayer,
  sequential,
  type TensorType,
  type Value,
} from 'convlane'
import { checkGradients, conv2d as convolution, mean, multiply, sum, tensor } from 'convlane/ops'

/** x · sigmoid(relu(mean(x) · squeeze) · excitation), `[N, H, W, C]` → `[N, H, W, C]`: one factor for each image and channel. */
function excite(x: Value, squeeze: Value, excitation: Value): Value {
  const means = mean(x, { axes: [1, 2], keepDims: true }) // [N, 1, 1, C]
  return multiply(x, convolution(convolution(means, squeeze, { activation: 'relu' }), excitation, { activation: 'sigmoid' }))
}

class SqueezeExcite extends Layer<4, 4, 'squeezeExcite'> {
  override readonly type = 'squeezeExcite'
  override readonly rank = 4
  override readonly arity = 1
  readonly #reduction: number

  constructor(reduction: number, name?: string) {
    super('squeezeExcite', name)
    if (!Number.isInteger(reduction) || reduction < 1)
      throw new RangeError(`squeezeExcite: reduction must be 1 or more, received ${reduction}`)
    this.#reduction = reduction
  }

  override config(): LayerConfig {
    return { reduction: this.#reduction }
  }

  override parameters([x]: readonly TensorType[]): Parameter[] {
    const channels = x!.shape[3]!
    const units = Math.max(1, Math.floor(channels / this.#reduction))
    return [
      { name: 'squeeze', shape: [1, 1, channels, units], initializer: 'heNormal' },
      { name: 'excitation', shape: [1, 1, units, channels], initializer: 'glorotUniform' },
    ]
  }

  override build({ parameter }: BuildContext, [x]: readonly Value[]): Value {
    return excite(x!, parameter('squeeze'), parameter('excitation'))
  }
}
registerLayer('squeezeExcite', ({ reduction, name }) => new SqueezeExcite(Number(reduction), String(name)))

/** Any numbers, of these sizes. */
function numbers(...shape: number[]) {
  const count = shape.reduce((a, b) => a * b)
  const data = Float32Array.from({ length: count }, (_, i) => Math.sin(1 + 3 * i * i))
  return tensor(data, shape)
}
const inputs = [numbers(2, 3, 3, 4), numbers(1, 1, 4, 2), numbers(1, 1, 2, 4)]
const errors = checkGradients((x, squeeze, excitation) => sum(multiply(excite(x, squeeze, excitation), x)), inputs)
console.log(`gradients are off by at most ${Math.max(...errors.map((found) => found!.error)).toExponential(1)}`)

const { train, test } = await digits()
const model = sequential(
  { input: [8, 8, 1], seed: 1 },
  conv2d(16, 3, { padding: 'same', activation: 'relu' }),
  new SqueezeExcite(Number(process.argv[2] ?? 4)),
  flatten(),
  dense(10),
)
model.compile({ optimizer: adam({ learningRate: 0.005 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
await model.fit(train, { epochs: 5, onEpoch: ({ epoch, loss }) => console.log(`epoch ${epoch}: loss ${loss.toFixed(4)}`) })
const { accuracy } = await model.evaluate(test)
console.log(`of ${test.length} images never seen: ${(100 * accuracy!).toFixed(1)} % right`)

const folder = mkdtempSync(join(tmpdir(), 'convlane-'))
await model.save(join(folder, 'model.safetensors'))
const loaded = await loadModel(join(folder, 'model.safetensors'))
rmSync(folder, { recursive: true })
const [before, after] = [await model.predict(test.x), await loaded.predict(test.x)]
const same = before.data.every((value, i) => value === (after as typeof before).data[i])
console.log(`loaded from a file it answers ${same ? 'the same, bit by bit' : 'something else'}`)

process.exitCode = same && accuracy! > 0.8 ? 0 : 1
