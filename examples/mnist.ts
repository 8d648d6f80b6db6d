/**
 * Handwritten digits: trains, tells which are hard to tell apart, saves the model, loads it, and asks it about one image.
 *
 *     mnist.ts               the digits that convlane has, 8 × 8 pixels: about a second
 *     mnist.ts DIR           MNIST, or one of its relatives: the four IDX files in a folder, gzipped or not
 *     mnist.ts --download    MNIST itself, 11 MB, kept for the next time
 */
import { rmSync } from 'node:fs'
import { adam, conv2d, cosineDecay, dense, digits, dropout, flatten, loadModel, maxPool2d, mnist, sequential, sliceDataset } from 'convlane'

const [source] = process.argv.slice(2)
const { train, test } = source === undefined ? await digits() : await mnist(source === '--download' ? {} : { dir: source })
const [height, width] = train.x.shape.slice(1) as [number, number]
const classes = train.classNames ?? []

const model = sequential(
  { input: [height, width, 1], seed: 1 },
  conv2d(16, 3, { padding: 'same', activation: 'relu' }),
  maxPool2d(2),
  conv2d(32, 3, { padding: 'same', activation: 'relu' }),
  maxPool2d(2),
  flatten(),
  dropout(0.2),
  dense(64, { activation: 'relu' }),
  dense(classes.length),
)
console.log(String(model.summary()))

const epochs = 6
const learningRate = cosineDecay(0.005, { steps: epochs * Math.ceil(train.length / 32), warmUp: 20 })
model.compile({ optimizer: adam({ learningRate }), loss: 'softmaxCrossEntropy', metrics: ['accuracy', 'confusionMatrix'] })
await model.fit(train, {
  epochs,
  onEpoch: ({ epoch, loss, metrics, imagesPerSecond }) => {
    const accuracy = (100 * metrics.accuracy!).toFixed(1)
    console.log(`epoch ${epoch}: loss ${loss.toFixed(4)}, accuracy ${accuracy} %, ${Math.round(imagesPerSecond)} images/s`)
  },
})

const { accuracy, confusionMatrix } = await model.evaluate(test)
console.log(`of ${test.length} images never seen: ${(100 * accuracy!).toFixed(2)} % right`)
const mistakes = confusionMatrix!.flatMap((row, label) => row.map((count, taken) => ({ label, taken, count })))
for (const { label, taken, count } of mistakes
  .filter((m) => m.label !== m.taken && m.count > 0)
  .sort((a, b) => b.count - a.count)
  .slice(0, 3))
  console.log(`  ${count} × ${classes[label]} taken for ${classes[taken]}`)

const file = 'mnist-example.safetensors'
await model.save(file)
const loaded = await loadModel(file)
const { data } = await loaded.predict(sliceDataset(test, 0, 1).x)
console.log(`${file}: its first image is a ${classes[data.indexOf(Math.max(...data))]}`)
if (source === undefined) rmSync(file)

process.exitCode = accuracy! > 0.8 ? 0 : 1
