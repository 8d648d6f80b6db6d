/**
 * Transfer learning: a model that has learnt one thing learns another from a few images. Its head is replaced; the new head learns alone, then all of it by small
 * steps. Beside it, the same network from the beginning.
 *
 *     transfer.ts                          a model that knows the digits, made here, learns from twenty which are odd: some seconds
 *     transfer.ts MODEL DIR SIZE [AFTER]   MODEL of yours; DIR/class/image.jpg, of SIZE × SIZE (npm install sharp); AFTER: last layer that stays
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adam,
  conv2d,
  type Data,
  dataset,
  dense,
  digits,
  flatten,
  imageFolder,
  loadModel,
  type Model,
  maxPool2d,
  replaceHead,
  sequential,
} from 'convlane'

type Images = Awaited<ReturnType<typeof digits>>['train']
const network = (classes: number) =>
  sequential(
    { input: [8, 8, 1], seed: 1 },
    conv2d(16, 3, { padding: 1, activation: 'relu' }),
    maxPool2d(2),
    conv2d(32, 3, { activation: 'relu' }),
    flatten(),
    dense(48, { activation: 'relu' }),
    dense(classes),
  )

/** Whether a digit is odd: of all images, or of as many of each digit. */
function oddOrEven({ x, y, normalize }: Images, ofEach = Infinity): Images {
  const counts = Array<number>(10).fill(0)
  const rows = [...y.data.keys()].filter((row) => counts[y.data[row]!]!++ < ofEach)
  const data = Uint8Array.from(rows.flatMap((row) => [...x.data.subarray(row * 64, (row + 1) * 64)]))
  const labels = Int32Array.from(rows, (row) => y.data[row]! % 2)
  return dataset({ x: { shape: [rows.length, 8, 8, 1], data }, y: { shape: [rows.length], data: labels }, normalize: normalize! })
}

async function teach(model: Model<never, unknown>, data: Data, learningRate: number, epochs: number): Promise<void> {
  model.compile({ optimizer: adam({ learningRate }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  await model.fit(data, { epochs, batchSize: 8 })
}

const [file, dir, size, after] = process.argv.slice(2)
const folder = await mkdtemp(join(tmpdir(), 'transfer-'))
const own = dir === undefined ? undefined : await imageFolder(dir, { size: Number(size) })
const drawn = await digits()
if (!own) {
  const known = network(10)
  await teach(known, drawn.train, 0.003, 12)
  await known.save(join(folder, 'known.safetensors'))
}
const train = own?.train ?? oddOrEven(drawn.train, 2)
const test = own?.test ?? oddOrEven(drawn.test)

// What this is about, in ten lines.
const known = await loadModel(file ?? join(folder, 'known.safetensors'))
const classes = own?.classNames.length ?? 2
const model = await replaceHead(known, { head: [dense(classes, { name: 'newHead' })], ...(after !== undefined && { after }) })
model.freeze(({ layer }) => layer !== 'newHead')
await teach(model, train, 0.01, 15)
const { accuracy: head } = await model.evaluate(test)
model.unfreeze('*')
await teach(model, train, 0.0003, 10)
const { accuracy: tuned } = await model.evaluate(test)

const percent = (share: number | undefined) => `${(100 * share!).toFixed(1)} %`
console.log(`${train.length} images to learn from, ${test.length} never seen`)
console.log(`the new head alone: ${percent(head)} right`)
console.log(`and all of it, by small steps: ${percent(tuned)} right`)
let fresh = 1 / classes
if (!own) {
  const other = network(2)
  await teach(other, train, 0.003, 25)
  fresh = (await other.evaluate(test)).accuracy!
  console.log(`the same network from the beginning: ${percent(fresh)} right`)
}
await rm(folder, { recursive: true })
process.exitCode = tuned! > fresh ? 0 : 1
