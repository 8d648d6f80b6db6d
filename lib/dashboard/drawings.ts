import type { Samples } from '../data/dataset'
import { encodePng, type Picture } from '../io/png'
import type { Model } from '../model/model'
import { featureMaps } from '../report/featureMaps'
import { mapGrid } from '../report/grids'
import { samplePicture } from '../report/samplePicture'
import { eventText } from './run'

/** What feature maps may take of the time: drawn again after 200 times as long as drawing takes. */
const SHARE = 0.005
/** Between two drawings at least, in milliseconds. */
const PAUSE_MS = 2000
/** Layers that are drawn at most: of more, as many evenly spread over them. */
const MOST_LAYERS = 40
/** Maps of a layer that are drawn at most. */
const MOST_MAPS = 32
/** Longest side of a map, and of an input, in pixels. */
const SIDE = 48
const INPUT_SIDE = 96

/** What a layer gives in the form in which it has been seen before. */
const alike = new Set(['flatten', 'reshape', 'dropout', 'spatialDropout'])

/** A drawing of the feature maps of one input. */
interface Drawing {
  readonly version: number
  readonly event: string
}

/** The feature maps of some inputs as events, made now and then beside the training. */
export class Drawings {
  readonly #model: Model<never, unknown>
  readonly #images: Samples
  readonly #layers: readonly string[]
  readonly #latest = new Map<number, Drawing>()
  #inputs: string | undefined
  #versions = 0
  #next = 0
  /** Least that a drawing of one input took, in milliseconds: others waited for the processor. */
  #cost = Number.POSITIVE_INFINITY
  #drawings = 0
  #drawing: Promise<void> | undefined
  #isBroken = false

  constructor(model: Model<never, unknown>, images: Samples, layers: readonly string[] | undefined) {
    this.#model = model
    this.#images = images
    this.#layers = layers ?? spread(model)
  }

  /** The inputs, as an event. */
  async open(): Promise<void> {
    const pictures = Array.from({ length: this.#images.shape[0]! }, (_, index) => samplePicture(reduced(this.#sample(index))))
    // Data may use but a part of the range of bytes.
    const most = pictures.reduce((largest, { data }) => data.reduce((a, b) => Math.max(a, b), largest), 1)
    const light = pictures.map(({ shape, data }) => ({ shape, data: data.map((level) => Math.round((level * 255) / most)) }))
    this.#inputs = eventText('inputs', await Promise.all(light.map(source)))
  }

  get inputs(): string {
    return this.#inputs ?? ''
  }

  latest(image: number): Drawing | undefined {
    return this.#latest.get(image)
  }

  /** Draws, in the background, where it is time to and somebody looks. */
  drawSome(images: ReadonlySet<number>, at: number): void {
    if (this.#drawing || images.size === 0 || performance.now() < this.#next) return
    this.#drawing = this.#draw(images, at).finally(() => {
      this.#drawing = undefined
    })
  }

  /** Draws once more, with the weights as they are now. */
  async drawLast(images: ReadonlySet<number>, at: number): Promise<void> {
    await this.#drawing
    await this.#draw(images, at)
  }

  async #draw(images: ReadonlySet<number>, at: number): Promise<void> {
    const start = performance.now()
    try {
      for (const old of this.#latest.keys()) if (!images.has(old)) this.#latest.delete(old)
      for (const image of this.#isBroken ? [] : images) await this.#drawImage(image, at)
    } catch (error) {
      // Of no weight for the training: pages are told, and it is not tried again.
      this.#isBroken = true
      const message = error instanceof Error ? error.message : String(error)
      const version = ++this.#versions
      for (const image of images) this.#latest.set(image, { version, event: eventText('maps', { image, at, message, layers: [] }) })
    }
    const end = performance.now()
    // The first one compiles, which is done once.
    if (this.#drawings++ > 0) this.#cost = Math.min(this.#cost, (end - start) / images.size)
    this.#next = end + Math.max(PAUSE_MS, this.#drawings > 1 ? (this.#cost * images.size) / SHARE : 0)
  }

  async #drawImage(image: number, at: number): Promise<void> {
    const layers: unknown[] = []
    for (const { layer, type, output } of await featureMaps(this.#model, this.#sample(image), { layers: this.#layers })) {
      // One layer at a time: the event loop runs between them.
      await new Promise((resolve) => setImmediate(resolve))
      const grid = mapGrid(output, { maps: MOST_MAPS, side: SIDE })
      const { shape, most, colours, shown } = grid
      const [height, width] = shape
      layers.push({
        name: layer,
        type,
        shape: output.shape.slice(1),
        most,
        colours,
        maps: shown.filters,
        height,
        width,
        png: await source(grid),
      })
    }
    this.#latest.set(image, { version: ++this.#versions, event: eventText('maps', { image, at, layers }) })
  }

  #sample(index: number): Samples {
    const { shape, data } = this.#images
    const size = data.length / shape[0]!
    return { shape: shape.slice(1), data: data.subarray(index * size, (index + 1) * size) }
  }
}

/** Names of the layers that are drawn where nobody says. */
function spread({ architecture: { layers } }: Model<never, unknown>): string[] {
  const names = layers.filter(({ layer }) => !alike.has(layer.type)).map(({ name }) => name)
  if (names.length <= MOST_LAYERS) return names
  return Array.from({ length: MOST_LAYERS }, (_, index) => names[Math.round((index * (names.length - 1)) / (MOST_LAYERS - 1))]!)
}

/** Every so many-th pixel of an image that is larger than it is shown. */
function reduced(sample: Samples): Samples {
  const [height, width, channels] = sample.shape as readonly [number, number, number]
  const step = Math.ceil(Math.max(height, width ?? 1) / INPUT_SIDE)
  if (sample.shape.length !== 3 || step <= 1) return sample
  const shape = [Math.ceil(height / step), Math.ceil(width / step), channels] as const
  const at = (index: number) => {
    const [row, rest] = [Math.floor(index / (shape[1] * channels)), index % (shape[1] * channels)]
    return sample.data[(row * step * width + Math.floor(rest / channels) * step) * channels + (rest % channels)]!
  }
  const length = shape[0] * shape[1] * channels
  const data =
    sample.data instanceof Uint8Array ? Uint8Array.from({ length }, (_, i) => at(i)) : Float32Array.from({ length }, (_, i) => at(i))
  return { shape, data } as Samples
}

async function source(picture: Picture): Promise<string> {
  return `data:image/png;base64,${Buffer.from(await encodePng(picture)).toString('base64')}`
}
