/**
 * A model that is trained here and runs elsewhere: exported as an ONNX file, opened in ONNX Runtime, and asked about the same images.
 *
 *     onnx.ts               trains on the digits that convlane has: about a second
 *     onnx.ts MODEL OUT     writes the model of a file that `save` wrote as OUT
 */
import { rmSync } from 'node:fs'
import { adam, conv2d, dense, digits, exportOnnx, flatten, loadModel, maxPool2d, sequential, softmax } from 'convlane'
import { InferenceSession, Tensor } from 'onnxruntime-node'

const [source, out = 'digits.onnx'] = process.argv.slice(2)
if (source === undefined) await trainAndCompare()
else {
  await exportOnnx(await loadModel(source), out)
  const { inputMetadata, outputMetadata } = await InferenceSession.create(out)
  for (const value of [...inputMetadata, ...outputMetadata]) console.log(value)
}

async function trainAndCompare() {
  const { train, test } = await digits()
  const model = sequential(
    { input: [8, 8, 1], seed: 1 },
    conv2d(16, 3, { padding: 'same', activation: 'relu' }),
    maxPool2d(2),
    flatten(),
    dense(64, { activation: 'relu' }),
    dense(10),
    softmax(),
  )
  model.compile({ optimizer: adam({ learningRate: 0.005 }), loss: 'softmaxCrossEntropy' })
  await model.fit(train, { epochs: 8 })

  // Bytes, scaled within the file, and channels last: what predict takes, the file takes.
  await exportOnnx(model, out, { input: 'uint8', layout: 'nhwc' })
  const session = await InferenceSession.create(out)
  rmSync(out)
  const [name, result] = [session.inputNames[0]!, session.outputNames[0]!]
  console.log(`${out}: ${name} → ${result}`)

  const expected = (await model.predict(test.x)).data
  const results = await session.run({ [name]: new Tensor('uint8', test.x.data as Uint8Array, test.x.shape) })
  const found = results[result]!.data as Float32Array
  const largest = (row: Float32Array) => row.indexOf(Math.max(...row))
  const right = Array.from(test.y.data).filter((digit, image) => largest(found.subarray(10 * image, 10 * image + 10)) === digit).length
  const apart = expected.reduce((most, probability, index) => Math.max(most, Math.abs(probability - found[index]!)), 0)
  console.log(`ONNX Runtime has ${right} of ${test.length} images right`)
  console.log(`its probabilities and those of predict are at most ${apart.toExponential(1)} apart`)
  process.exitCode = right > 0.9 * test.length && apart < 1e-4 ? 0 : 1
}
