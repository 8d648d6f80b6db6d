/**
 * Small colour pictures: a residual network with batch normalization learns from pictures that are shifted, mirrored and partly covered at random, and keeps
 * the weights of its best epoch.
 *
 *     cifar10.ts                  pictures made here, ten colours in stripes: some seconds
 *     cifar10.ts DIR [EPOCHS]     CIFAR-10's binary batches (data_batch_1.bin …, test_batch.bin) in a folder
 */
import {
  add,
  batchNorm,
  cifar10,
  conv2d,
  cosineDecay,
  crop,
  cutout,
  type Dataset,
  dataset,
  dense,
  flip,
  globalAveragePool2d,
  input,
  maxPool2d,
  type Node,
  network,
  relu,
  sgd,
  type TrainTest,
} from 'convlane'

/** Pictures `[count, 32, 32, 3]`: each class has a colour, each picture stripes of its own, with noise. */
function stripes(count: number, seed: number): Dataset {
  let state = seed
  const random = () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
  const data = new Uint8Array(count * 32 * 32 * 3)
  for (let n = 0; n < count; n++) {
    const [across, down, phase] = [random(), random(), 6 * random()]
    for (let i = 0; i < 3072; i++) {
      const [y, x, channel] = [i >> 5, i & 31, i % 3]
      const colour = 128 + 60 * Math.cos(((n % 10) * Math.PI) / 5 + 2.1 * channel)
      data[n * 3072 + i] = colour + 30 * Math.sin(phase + across * x + down * y) + 30 * (random() - 0.5)
    }
  }
  return dataset({
    x: { shape: [count, 32, 32, 3], data },
    y: { shape: [count], data: Int32Array.from({ length: count }, (_, n) => n % 10) },
  })
}

/** Two convolutions beside what goes into them. */
function block(x: Node<4>, filters: number): Node<4> {
  const convolution = (from: Node<4>) => conv2d(filters, 3, { padding: 'same', bias: false, kernelInitializer: 'heNormal' }).apply(from)
  const inner = batchNorm({ momentum: 0.9, activation: 'relu' }).apply(convolution(x))
  return relu().apply(add().apply(x, batchNorm({ momentum: 0.9 }).apply(convolution(inner))))
}

const [dir, count = dir === undefined ? '8' : '30'] = process.argv.slice(2)
const { train, test }: TrainTest = dir === undefined ? { train: stripes(320, 1), test: stripes(100, 2) } : await cifar10({ dir })

const base = dir === undefined ? 8 : 32
const image: Node<4> = input([32, 32, 3])
let x = maxPool2d(2).apply(conv2d(base, 3, { padding: 'same', activation: 'relu' }).apply(image))
x = block(x, base)
x = conv2d(2 * base, 3, { padding: 'same', stride: 2, activation: 'relu' }).apply(x)
x = block(x, 2 * base)
const model = network({ inputs: image, outputs: dense(10).apply(globalAveragePool2d().apply(x)), seed: 1 })

const epochs = Number(count)
const learningRate = cosineDecay(0.03, { steps: epochs * Math.ceil(train.length / 32), warmUp: 10 })
model.compile({ optimizer: sgd({ learningRate, momentum: 0.9, weightDecay: 0.0005 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
const { stopped } = await model.fit(train, {
  epochs,
  validationSplit: 0.1,
  augment: [crop({ padding: 4, mode: 'reflect' }), flip(), cutout({ size: 8, value: 128 })],
  earlyStopping: { monitor: 'validation/loss', patience: 10 },
  onEpoch: ({ epoch, loss, validation, seconds }) =>
    console.log(
      `epoch ${epoch}: loss ${loss.toFixed(3)}; of pictures left out ${(100 * validation!.accuracy!).toFixed(1)} % right; ${seconds.toFixed(1)} s`,
    ),
})
if (stopped) console.log('no better for ten epochs: stopped')

const { accuracy } = await model.evaluate(test)
console.log(`of ${test.length} pictures never seen: ${(100 * accuracy!).toFixed(2)} % right`)
process.exitCode = accuracy! > 0.3 ? 0 : 1
