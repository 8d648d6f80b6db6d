/**
 * The smallest whole network of the text books, every product and every gradient by hand, with `convlane/ops`: a picture of 5 × 5; one filter of 2 × 2 and its
 * bias, relu; maxima of 2 × 2; three sigmoids; two sigmoids; and the cost (z₀ − y₀)² + (z₁ − y₁)². It learns to tell a one from a zero.
 *
 *     byHand.ts [STEPS]     steps of gradient descent, 150: less than a second
 */
import {
  conv2d,
  conv2dBackward,
  dense,
  denseBackward,
  flatten,
  maxPool2d,
  maxPool2dBackward,
  multiply,
  reshape,
  scale,
  sgd,
  sub,
  sum,
  type Tensor,
  tensor,
} from 'convlane/ops'

const one = tensor([0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0], [1, 5, 5, 1])
const zero = tensor([0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0], [1, 5, 5, 1])
const samples = [
  { name: 'one', picture: one, target: tensor([1, 0], [1, 2]) },
  { name: 'zero', picture: zero, target: tensor([0, 1], [1, 2]) },
]

/** Filter and bias, weights and biases of three units, weights and biases of two: 28 numbers. */
type Parameters = [filter: Tensor, bias: Tensor, hidden: Tensor, hiddenBias: Tensor, output: Tensor, outputBias: Tensor]
let parameters: Parameters = [
  tensor([0.45, -0.23, 0.31, 0.38], [2, 2, 1, 1]),
  tensor([0.1], [1]),
  tensor([0.2, -0.3, 0.4, 0.1, 0.5, -0.2, -0.4, 0.3, 0.2, 0.6, -0.1, 0.3], [4, 3]),
  tensor([0, 0.1, -0.1], [3]),
  tensor([0.3, -0.5, 0.7, 0.2, -0.4, 0.6], [3, 2]),
  tensor([0.1, -0.1], [2]),
]

/** What lies between is kept: the way back needs it. */
function forward(picture: Tensor, [filter, bias, hidden, hiddenBias, output, outputBias]: Parameters) {
  const map = conv2d(picture, filter, { bias, activation: 'relu' }) // [1, 4, 4, 1]
  const pooled = maxPool2d(map, 2) // [1, 2, 2, 1]
  const features = flatten(pooled) // [1, 4]
  const h = dense(features, hidden, { bias: hiddenBias, activation: 'sigmoid' }) // [1, 3]
  const z = dense(h, output, { bias: outputBias, activation: 'sigmoid' }) // [1, 2]
  return { map, pooled, features, h, z }
}

/** The cost, and its gradients by all parameters: from the end to the beginning. */
function backward(picture: Tensor, target: Tensor, parameters: Parameters) {
  const [filter, bias, hidden, hiddenBias, output, outputBias] = parameters
  const { map, pooled, features, h, z } = forward(picture, parameters)
  const distance = sub(z, target)
  const last = denseBackward(scale(distance, 2), h, output, { bias: outputBias, activation: 'sigmoid' })
  const first = denseBackward(last.dx, features, hidden, { bias: hiddenBias, activation: 'sigmoid' })
  const { dx } = maxPool2dBackward(reshape(first.dx, pooled.shape), map, 2)
  const { dw, db } = conv2dBackward(dx, picture, filter, { bias, activation: 'relu' })
  return { cost: sum(multiply(distance, distance)).data[0]!, gradients: [dw, db, first.dw, first.db, last.dw, last.db] }
}

/** Each parameter a little up, a little down: what the cost does, beside what the gradients say. */
const { gradients } = backward(one, samples[0]!.target, parameters)
let largest = 0
for (const [which, { data }] of parameters.entries()) {
  for (const [i, value] of data.entries()) {
    const costAt = (moved: number) => {
      data[i] = moved
      return backward(one, samples[0]!.target, parameters).cost
    }
    const difference = (costAt(value + 0.002) - costAt(value - 0.002)) / 0.004
    data[i] = value
    largest = Math.max(largest, Math.abs(difference - gradients[which]!.data[i]!))
  }
}
console.log(`28 gradients, by hand and by differences of the cost: at most ${largest.toExponential(1)} apart`)

const steps = Number(process.argv[2] ?? 150)
for (let step = 0; step <= steps; step++) {
  const { picture, target } = samples[step % 2]!
  const { cost, gradients } = backward(picture, target, parameters)
  if (step % 25 === 0) console.log(`step ${step}: cost ${cost.toFixed(4)}`)
  parameters = parameters.map((parameter, i) => sgd(parameter, gradients[i]!, { learningRate: 1 }).param) as Parameters
}

const answers = samples.map(({ name, picture }) => {
  const [likeOne, likeZero] = forward(picture, parameters).z.data as unknown as [number, number]
  console.log(`the ${name}: ${likeOne.toFixed(3)} that it is a one, ${likeZero.toFixed(3)} that it is a zero`)
  return likeOne > likeZero ? 'one' : 'zero'
})
process.exitCode = largest < 1e-3 && answers.every((answer, i) => answer === samples[i]!.name) ? 0 : 1
