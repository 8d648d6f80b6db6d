import type { Normalize, Samples } from '../data/dataset'
import { encodePng, type Picture } from '../io/png'
import { type FeatureMaps, featureMaps } from './featureMaps'
import type { Filters } from './filters'
import { filterGrid, type Grid, mapGrid } from './grids'
import type { Look, OutputLook, Verdict } from './outcome'
import { samplePicture } from './samplePicture'
import type { Example } from './samples'
import { html, type Markup, number, percent, sizes } from './text'

/** Longest side of a sample's picture, and of any, in the page: larger ones are made smaller. */
const [SIDE, LARGEST] = [160, 2048] as const
/** Of a feature map. */
const MAP_SIDE = 64
/** Most maps of a layer, numbers of a layer without maps, filters of a layer, layers of a sample. */
const [MAPS, NUMBERS, TILES, LAYERS] = [16, 1024, 64, 120] as const

/** A picture within the page: each pixel a square of so many CSS pixels, edges kept. */
async function image(picture: Picture, alt: string, scale = 1): Promise<Markup> {
  const small = shrunk(picture, LARGEST)
  const bytes = await encodePng(small)
  const [height, width] = small.shape
  const look = scale > 1 && html`class="px" `
  return html`<img ${look}src="data:image/png;base64,${Buffer.from(bytes).toString('base64')}" width="${width * scale}" height="${height * scale}" alt="${alt}">`
}

/** The whole number by which such a width becomes about as wide as that. */
const scaleFor = (width: number, about: number) => Math.max(1, Math.min(24, Math.floor(about / width)))

/** Means over squares of pixels, such that no side is longer than this. */
export function shrunk({ shape: [height, width, channels], data }: Picture, side: number): Picture {
  const step = Math.ceil(Math.max(height, width) / side)
  if (step <= 1) return { shape: [height, width, channels], data }
  const [rows, columns] = [Math.ceil(height / step), Math.ceil(width / step)]
  const small = new Uint8Array(rows * columns * channels)
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const [bottom, right] = [Math.min(height, (y + 1) * step), Math.min(width, (x + 1) * step)]
      for (let c = 0; c < channels; c++) {
        let [sum, count] = [0, 0]
        for (let v = y * step; v < bottom; v++) {
          for (let u = x * step; u < right; u++) {
            sum += data[(v * width + u) * channels + c]!
            count++
          }
        }
        small[(y * columns + x) * channels + c] = Math.round(sum / count)
      }
    }
  }
  return { shape: [rows, columns, channels], data: small }
}

/** How the page calls classes and samples. */
export interface Words {
  /** Of a class, by its number. */
  classOf(k: number): string
  /** Of a sample, by its number: its file, where the data tells it. */
  sampleOf(index: number): string
  /** The inputs of the model. */
  readonly inputs: readonly {
    readonly name: string
    /** How its bytes are scaled. */
    readonly normalize?: Normalize | undefined
  }[]
}

/** What a sample is for each input of the model. */
function sampleImages({ x, index }: Example, about: number, { sampleOf, inputs }: Words): Promise<Markup[]> {
  return Promise.all(
    x.map((one, input) => {
      const { name, normalize } = inputs[input]!
      const picture = shrunk(samplePicture(one, normalize), SIDE)
      const what = `${sampleOf(index)}${x.length > 1 ? `, ${name}` : ''}, ${sizes([null, ...one.shape])}`
      return image(picture, what, scaleFor(Math.max(picture.shape[0], picture.shape[1]), about))
    }),
  )
}

/** The likeliest classes of a sample, and the right one. */
function scoreList({ scores, target }: Verdict, { classOf }: Words, isProbability: boolean): Markup {
  const order = scores.map((score, k) => ({ score, k })).sort((a, b) => b.score - a.score || a.k - b.k)
  const shown = order.filter(({ k }, rank) => rank < 3 || target.includes(k)).slice(0, 6)
  const width = (score: number) => (Number.isFinite(score) ? Math.round(100 * Math.max(0, Math.min(1, score))) : 0)
  return html`<ol class="top">${shown.map(
    ({ score, k }) =>
      html`<li${target.includes(k) && html` class="yes"`}><span>${classOf(k)}${target.includes(k) && ' ✓'}</span><span>${isProbability ? percent(score) : number(score)}</span>${
        isProbability &&
        html`<svg viewBox="0 0 100 5" preserveAspectRatio="none" aria-hidden="true"><rect width="${width(score)}" height="5"/></svg>`
      }</li>`,
  )}</ol>`
}

const listOf = (numbers: readonly number[], { classOf }: Words) => (numbers.length === 0 ? 'none' : numbers.map(classOf).join(', '))

/** The samples that an output, by its number, tells worst. */
export async function mistakeCards({ outcome, worst }: OutputLook, output: number, words: Words): Promise<Markup> {
  const cards = await Promise.all(
    worst.map(async (example) => {
      const { said, target, ...verdict } = example.verdicts[output]!
      const images = await sampleImages(example, 160, words)
      const pictures = images.map((one, k) => (images.length > 1 ? html`<small>${words.inputs[k]!.name}</small>${one}` : one))
      if (outcome.kind === 'numbers') {
        const more = outcome.errors.length > said.length ? ', …' : ''
        const list = (numbers: readonly number[]) => numbers.map(number).join(', ') + more
        return html`<figure class="card">${pictures}<figcaption><strong>${list(said)}</strong> instead of ${list(target)}<small>${words.sampleOf(example.index)}</small></figcaption></figure>`
      }
      const isProbability = outcome.kind !== 'other' && outcome.scale === 'probability'
      return html`<figure class="card">${pictures}<figcaption><strong>${listOf(said, words)}</strong> instead of ${listOf(target, words)}<small>${words.sampleOf(example.index)}</small>${scoreList({ said, target, ...verdict }, words, isProbability)}</figcaption></figure>`
    }),
  )
  return html`<div class="cards">${cards}</div>`
}

/** A grid that is about so wide. */
function enlarged(make: (scale: number) => Grid, about: number): Grid {
  const { columns, tile, ...grid } = make(1)
  const scale = scaleFor(columns * tile[1], about)
  return scale === 1 ? { ...grid, columns, tile } : make(scale)
}

const ends = ({ colours, most }: Grid) =>
  colours === 'grey'
    ? `black 0, white ${number(most)}`
    : `${colours === 'colour' ? 'middle grey 0, ends' : 'blue and orange'} ±${number(most)}`

/** The filters of every convolution. */
export async function filterFigures(all: readonly Filters[]): Promise<Markup> {
  const figures = await Promise.all(
    all.map(async (filters) => {
      const isOnePerFilter = filters.channels === 3 || filters.channels === 1
      const grid = enlarged((scale) => filterGrid(filters, { tiles: isOnePerFilter ? TILES : TILES * 2, channels: 16, scale }), 300)
      const { count, channels, window, name } = filters
      const isPart = grid.shown.filters < count || grid.shown.channels < channels
      const part = isPart ? `; shown ${number(grid.shown.filters)} × ${number(grid.shown.channels)}` : ''
      const what = `${number(count)} filters × ${number(channels)} ${channels === 1 ? 'channel' : 'channels'} of ${window.join(' × ')}`
      const picture = await image(grid, `${what} of ${name}, ${ends(grid)}`)
      return html`<li><figure><figcaption><strong>${name}</strong><small>${what}${part}; ${ends(grid)}</small></figcaption>${picture}</figure></li>`
    }),
  )
  return html`<ul class="maps">${figures}</ul>`
}

async function mapFigure({ layer, type, output }: FeatureMaps): Promise<Markup> {
  const isMap = output.shape.length > 2
  const grid = enlarged((scale) => mapGrid(output, isMap ? { maps: MAPS, side: MAP_SIDE, scale } : { maps: NUMBERS, scale }), 350)
  const channels = output.shape.at(-1)!
  const part = grid.shown.filters < channels ? `; the first ${grid.shown.filters}` : ''
  const picture = await image(grid, `what ${layer} makes of it, ${ends(grid)}`)
  return html`<li><figure><figcaption><strong>${layer}</strong>${layer.replace(/_\d+$/, '') !== type && ` (${type})`}<small>${sizes(output.shape)}${part}; ${ends(grid)}</small></figcaption>${picture}</figure></li>`
}

/** What `featureMaps` needs of a model. */
type Mapped = Parameters<typeof featureMaps>[0]

/** What an example is, and what it is taken for, at each output that tells classes. */
function tellsOf({ verdicts }: Example, outputs: Look['outputs'], words: Words): string {
  const parts = outputs.flatMap(({ name, outcome: { kind } }, output) => {
    if (kind !== 'classes' && kind !== 'labels') return []
    const { target, said } = verdicts[output]!
    return `${outputs.length > 1 ? `${name} ` : ''}${listOf(target, words)}, taken for ${listOf(said, words)}`
  })
  return parts.length > 0 ? `: ${parts.join('; ')}` : ''
}

/** The way of some samples through all layers. */
export async function mapFigures(
  model: Mapped,
  { outputs, examples }: Look,
  seen: (x: Example['x']) => Samples[],
  words: Words,
): Promise<Markup> {
  const all: Markup[] = []
  for (const [place, example] of examples.entries()) {
    const { x, verdicts, index } = example
    const maps = await featureMaps(model, seen(x.map(({ shape, data }) => ({ shape: [1, ...shape], data }))) as never)
    const figures = await Promise.all(maps.slice(0, LAYERS).map(mapFigure))
    const images = (await sampleImages(example, 200, words)).map(
      (picture, k) =>
        html`<li><figure><figcaption><strong>${x.length > 1 ? words.inputs[k]!.name : 'input'}</strong><small>${sizes([null, ...x[k]!.shape])}</small></figcaption>${picture}</figure></li>`,
    )
    const scores = outputs.flatMap(({ name, outcome }, output) => {
      if ((outcome.kind !== 'classes' && outcome.kind !== 'labels') || verdicts[output]!.scores.length === 0) return []
      const list = scoreList(verdicts[output]!, words, outcome.scale === 'probability')
      return html`<div class="card">${outputs.length > 1 && html`<strong>${name}</strong>`}${list}</div>`
    })
    all.push(html`<details${place === 0 && html` open`}><summary>${words.sampleOf(index)}${tellsOf(example, outputs, words)}</summary>
<ul class="maps">${images}${figures}</ul>
${maps.length > LAYERS && html`<p class="note">The first ${LAYERS} of ${number(maps.length)} layers.</p>`}${scores.length > 0 && html`<div class="cards">${scores}</div>`}</details>`)
  }
  return html`${all}`
}
