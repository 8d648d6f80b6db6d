import { expect, test } from 'vitest'
import { conv2d, flatten, sequential, sgd } from '../../lib/index'
import { tensor } from '../../lib/tensor'
import { randomTensor } from '../support/models'

/** Sizes that tiles don't fit. */
test.each([7, 14, 20])('what is predicted for an image of %i x %i does not depend on its neighbours in the batch', async (size) => {
  const model = sequential(
    { input: [size, size, 8], seed: 3, runtime: 'native' },
    conv2d(16, 3, { padding: 'same', algorithm: 'winograd6' }),
    conv2d(16, 3, { padding: 'same', algorithm: 'winograd4' }),
    flatten(),
  ).compile({ optimizer: sgd({ learningRate: 0.01 }), loss: 'meanSquaredError' })
  const count = 9
  const x = randomTensor([count, size, size, 8], size)
  const pixels = size * size * 8
  const image = (index: number) => tensor(x.data.slice(index * pixels, (index + 1) * pixels), [1, size, size, 8])
  const alone = []
  for (let index = 0; index < count; index++) alone.push((await model.predict(image(index))).data)

  x.data.fill(Number.NaN, 4 * pixels, 5 * pixels)
  x.data.fill(1e30, 6 * pixels, 7 * pixels)
  const y = await model.predict(x)
  const outputs = y.data.length / count
  for (const index of [0, 1, 2, 3, 5, 7, 8]) {
    expect(y.data.slice(index * outputs, (index + 1) * outputs)).toEqual(alone[index])
  }
  model.dispose()
})
