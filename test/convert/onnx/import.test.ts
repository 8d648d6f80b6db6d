import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exportOnnx } from '../../../lib/convert/onnx/export'
import { importOnnx } from '../../../lib/convert/onnx/import'
import { adam, type Model, mobilenetV2Small, resnet20, type Tensor } from '../../../lib/index'
import { temporaryFolder } from '../../support/folder'
import { layerModels, shake } from '../../support/layerModels'
import { randomTensor, someLabels } from '../../support/models'

/** What a file says in words that are no layers here. */
const oneWay =
  /^(averagePool2d.*ceil true, countPadding true|linearThreshold\(.*(slope 0\.1|threshold -0\.2)|adaptiveAveragePool(1d\(size \[4\]|2d\(size \[3,5\]|3d\(size \[2,5,3\]))/

const samplesFor = (model: Model) => {
  const x = model.architecture.inputs.map(({ shape }, index) => randomTensor([2, ...shape], index + 5))
  return (x.length === 1 ? x[0] : x) as Tensor
}

describe('written and read again: the same bits', () => {
  // Every sixth of them; all of them in test/outside.
  const cases = layerModels.filter(({ name }, index) => !oneWay.test(name) && index % 6 === 0)
  test.each(cases)('$name', async ({ make }) => {
    const model = make()
    await shake(model)
    const file = join(temporaryFolder(), 'model.onnx')
    const x = samplesFor(model)
    for (const layout of ['nchw', 'nhwc'] as const) {
      await exportOnnx(model, file, { layout })
      const read = await importOnnx(file)
      expect(await read.predict(x)).toEqual(await model.predict(x))
      read.dispose()
    }
    model.dispose()
  })
  test.each(layerModels.filter(({ name }) => oneWay.test(name)))('refused: $name', async ({ make }) => {
    const file = join(temporaryFolder(), 'model.onnx')
    await exportOnnx(make(), file)
    await expect(importOnnx(file)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })
})

describe('networks of the zoo', () => {
  const image = { input: [16, 16, 3], classes: 5, seed: 2 } as const
  test.each([
    ['resnet20', () => resnet20(image)],
    ['mobilenetV2Small', () => mobilenetV2Small(image)],
  ])('%s: weights keep their names and bits, and are trained on', async (_, make) => {
    const model = make() as unknown as Model
    await shake(model)
    model.classNames = ['ant', 'bee', 'cat', 'dog', 'eel']
    const file = join(temporaryFolder(), 'model.onnx')
    await exportOnnx(model, file)
    const read = await importOnnx(file)
    expect(read.classNames).toEqual(model.classNames)
    expect(await read.getWeights()).toEqual(await model.getWeights())
    const x = samplesFor(model)
    expect(await read.predict(x)).toEqual(await model.predict(x))
    read.compile({ optimizer: adam(), loss: 'softmaxCrossEntropy' })
    expect((await read.trainOnBatch(x, someLabels(2, 5))).loss).toBeGreaterThan(0)
    await read.save(join(temporaryFolder(), 'model.safetensors'))
    read.dispose()
    model.dispose()
  })
})
