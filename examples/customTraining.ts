/**
 * A training loop of your own: batches in an order of your own, gradients from the model, updates by a rule that convlane does not have (Lion: the sign of a
 * mean of gradients; Chen and others, 2023), and an end of your own.
 *
 *     customTraining.ts [GOAL]     share of the digits left out that must be right, 0.95: some seconds at most
 */
import { conv2d, dense, digits, flatten, maxPool2d, sequential, sgd, sliceDataset, type Tensor } from 'convlane'

const goal = Number(process.argv[2] ?? 0.95)
const { train: all, test } = await digits()
const train = sliceDataset(all, 0, 1200)
const left = sliceDataset(all, 1200, all.length)

const model = sequential(
  { input: [8, 8, 1], seed: 1, ...(all.normalize && { normalize: all.normalize }) },
  conv2d(16, 3, { padding: 'same', activation: 'relu' }),
  maxPool2d(2),
  flatten(),
  dense(10),
)
// The loss is the model's; the optimizer goes unused.
model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })

/** The samples of these numbers, as a batch. */
function batchOf(indices: readonly number[]) {
  const pixels = new Uint8Array(indices.length * 64)
  const labels = new Int32Array(indices.length)
  for (const [n, index] of indices.entries()) {
    pixels.set(train.x.data.subarray(64 * index, 64 * (index + 1)), 64 * n)
    labels[n] = train.y.data[index]!
  }
  return { x: { shape: [indices.length, 8, 8, 1], data: pixels }, y: { shape: [indices.length] as const, data: labels } }
}

/** Lion: each weight moves by the rate against the sign of 0.9 · mean + 0.1 · gradient; the mean follows the gradient by 1 %. */
function lion(weight: Tensor, gradient: Tensor, mean: Float32Array, rate: number): Tensor {
  const data = weight.data.map((value, i) => value - rate * Math.sign(0.9 * mean[i]! + 0.1 * gradient.data[i]!))
  for (const [i, value] of gradient.data.entries()) mean[i] = 0.99 * mean[i]! + 0.01 * value
  return { shape: weight.shape, data }
}

const means = new Map<string, Float32Array>()
let order = Array.from({ length: train.length }, (_, n) => n)
let reached = 0
for (let epoch = 1; epoch <= 30 && reached < goal; epoch++) {
  const rate = 0.003 / Math.sqrt(epoch)
  order = order.map((_, n) => order[(n * 7 + epoch) % order.length]!) // each once: 7 and 1,200 have no common divisor
  for (let start = 0; start < order.length; start += 48) {
    const { x, y } = batchOf(order.slice(start, start + 48))
    const [weights, gradients] = await Promise.all([model.getWeights(), model.getGradients(x, y)])
    const updated = Object.entries(gradients).map(([name, gradient]) => {
      const mean = means.get(name) ?? new Float32Array(gradient.data.length)
      means.set(name, mean)
      return [name, lion(weights[name]!, gradient, mean, rate)] as const
    })
    await model.setWeights(Object.fromEntries(updated))
  }
  const { loss, accuracy } = await model.evaluate(left)
  reached = accuracy!
  console.log(`epoch ${epoch}: loss ${loss.toFixed(4)}, of digits left out ${(100 * reached).toFixed(1)} % right`)
}

const { accuracy } = await model.evaluate(test)
console.log(`${reached < goal ? 'not reached' : 'reached'}; of ${test.length} digits never seen ${(100 * accuracy!).toFixed(1)} % right`)
process.exitCode = reached < goal ? 1 : 0
