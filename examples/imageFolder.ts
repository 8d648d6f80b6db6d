/**
 * Image files: a network learns from a folder with a folder of images for each class, is measured on images that it has never seen, and looks at single ones.
 *
 *     imageFolder.ts                  pictures drawn here, of circles, rings and squares: some seconds
 *     imageFolder.ts DIR [EPOCHS]     yours: DIR/class/image.jpg, PNG, JPEG, WebP, AVIF or GIF, of any sizes
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  adam,
  batchNorm,
  conv2d,
  cosineDecay,
  crop,
  dense,
  flip,
  globalAveragePool2d,
  imageFolder,
  maxPool2d,
  readImage,
  sequential,
} from 'convlane'
import sharp from 'sharp'

/** Whether a point, from a figure's middle and by its size, is part of it. */
const figures: Record<string, (y: number, x: number) => boolean> = {
  circles: (y, x) => Math.hypot(y, x) < 1,
  rings: (y, x) => Math.abs(Math.hypot(y, x) - 0.8) < 0.2,
  squares: (y, x) => Math.max(Math.abs(y), Math.abs(x)) < 0.85,
}

/** Forty pictures of each figure, of other colours, places and sizes, in a folder of its name. */
async function draw(folder: string): Promise<void> {
  let state = 1
  const between = (low: number, high: number) => {
    state = (state * 48271) % 2147483647
    return low + (high - low) * (state / 2147483647)
  }
  for (const [name, isIn] of Object.entries(figures)) {
    await mkdir(join(folder, name), { recursive: true })
    for (let n = 0; n < 40; n++) {
      const [height, width] = [Math.floor(between(36, 48)), Math.floor(between(36, 48))]
      const [y, x, size] = [height * between(0.4, 0.6), width * between(0.4, 0.6), between(9, 14)]
      const [ground, colour] = [Array.from({ length: 3 }, () => between(0, 110)), Array.from({ length: 3 }, () => between(140, 255))]
      const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
        const pixel = Math.floor(i / 3)
        return (isIn((Math.floor(pixel / width) - y) / size, ((pixel % width) - x) / size) ? colour : ground)[i % 3]!
      })
      await sharp(data, { raw: { height, width, channels: 3 } }).toFile(join(folder, name, `${n}.${['png', 'jpg', 'webp'][n % 3]}`))
    }
  }
}

const [given, count = given === undefined ? '12' : '30'] = process.argv.slice(2)
const dir = given ?? (await mkdtemp(join(tmpdir(), 'figures-')))
if (given === undefined) await draw(dir)
const size = given === undefined ? 32 : 96

const { train, test, classNames, ignored } = await imageFolder(dir, {
  size,
  onBroken: ({ error }) => console.log(`left out: ${error.message}`),
})
console.log(`${train.length} images to learn from, ${test.length} to test with: ${classNames.join(', ')}`)
if (ignored.length > 0) console.log(`no images: ${ignored.join(', ')}`)

const model = sequential(
  { input: [size, size, 3], seed: 1 },
  conv2d(16, 5, { stride: 2, bias: false }),
  batchNorm({ momentum: 0.9, activation: 'relu' }),
  conv2d(32, 3, { bias: false }),
  batchNorm({ momentum: 0.9, activation: 'relu' }),
  maxPool2d(2),
  conv2d(64, 3, { activation: 'relu' }),
  globalAveragePool2d(),
  dense(classNames.length),
)
const epochs = Number(count)
const learningRate = cosineDecay(0.005, { steps: epochs * Math.ceil(train.length / 16), warmUp: 5 })
model.compile({ optimizer: adam({ learningRate }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
await model.fit(train, {
  epochs,
  batchSize: 16,
  augment: [flip(), crop({ padding: size / 16, mode: 'edge' })],
  onEpoch: ({ epoch, loss, metrics }) =>
    console.log(`epoch ${epoch}: loss ${loss.toFixed(3)}, ${(100 * metrics.accuracy!).toFixed(1)} % right`),
})
const { accuracy } = await model.evaluate(test)
console.log(`of ${test.length} images never seen: ${(100 * accuracy!).toFixed(1)} % right`)

for (const file of [test.files[0]!, test.files.at(-1)!]) {
  const { data: scores } = await model.predict(await readImage(join(dir, file), { model }))
  console.log(`${file}: ${model.classNames![scores.indexOf(Math.max(...scores))]}`)
}
if (given === undefined) await rm(dir, { recursive: true })
process.exitCode = accuracy! > 1 / classNames.length ? 0 : 1
