import { checkOptions } from '../check'
import type { Picture } from '../io/png'
import { checkInteger } from '../shape'
import { checkArray, type Tensor } from '../tensor'
import { type Colour, diverging, extentOf, grey } from './colours'
import type { Filters } from './filters'

/** Options of {@link filterGrid}. */
export interface FilterGridOptions {
  /** Most windows that are drawn. Default: all. */
  readonly tiles?: number
  /** Most channels of each filter that are drawn. Default: all. */
  readonly channels?: number
  /** Each number becomes a square of so many pixels, 1 to 64, the lines between tiles stay thin. Default 1. */
  readonly scale?: number
}

/** Options of {@link mapGrid}. */
export interface MapGridOptions {
  /** Which sample of the batch. Default 0. */
  readonly sample?: number
  /** Most maps that are drawn, the first ones. Default: all. */
  readonly maps?: number
  /** Longest side of a map, in pixels: of larger ones every second, third, … pixel is drawn. Default: all pixels. */
  readonly side?: number
  /** Each number becomes a square of so many pixels, 1 to 64, the lines between tiles stay thin. Default 1. */
  readonly scale?: number
}

/** A picture of tiles, and what is on it. */
export interface Grid extends Picture {
  /** Of tiles. */
  readonly columns: number
  /** Of tiles. */
  readonly rows: number
  /** Of one tile, in pixels. */
  readonly tile: readonly [height: number, width: number]
  /** What is drawn at both ends of the colours: numbers from `-most` (0 for greys) to `most`. */
  readonly most: number
  /** `'colour'`: red, green and blue of the filters themselves; `'diverging'`: blue below 0, nearly white 0, orange above; `'grey'`: 0 black. */
  readonly colours: 'colour' | 'diverging' | 'grey'
  /** How many filters or maps are drawn, of how many there are. */
  readonly shown: { readonly filters: number; readonly channels: number }
}

/** Between tiles. */
const GAP: Colour = [128, 128, 128]

/**
 * Filters side by side. Those that see three channels are drawn in colour: 0 is the middle grey, the largest size of a weight of the layer, `most`, is black or
 * full. Those that see one channel, or any other number, are drawn in blue (below 0) and orange (above), nearly white at 0, by the same `most`: of one channel as
 * a square of tiles, of several a row for each filter and a column for each channel. Windows of three axes are laid side by side, their depth from left to right.
 * Infinite weights are drawn as the ends of the colours, NaN in magenta. A line of one pixel parts the tiles.
 * @throws INVALID_ARGUMENT, INVALID_TENSOR, INVALID_DTYPE
 */
export function filterGrid(filters: Filters, options: FilterGridOptions = {}): Grid {
  checkOptions('filterGrid', options, ['tiles', 'channels', 'scale'])
  const scale = checkInteger(options.scale ?? 1, 'filterGrid', 'scale', 1, 64)
  checkArray(filters?.weights, 'filterGrid', 'the weights of filters', ['Float32Array'])
  const { weights, count, channels, window } = filters
  const limit = checkInteger(options.tiles ?? count * channels, 'filterGrid', 'tiles')
  const isColour = channels === 3
  const seen = isColour ? 3 : Math.min(channels, checkInteger(options.channels ?? channels, 'filterGrid', 'channels'), limit)
  const perFilter = isColour ? 1 : seen
  const shownFilters = Math.min(count, Math.max(1, Math.floor(limit / perFilter)))
  const [height, width] = tileOf(window)
  const size = height * width
  const { most } = extentOf(weights.data)
  const colour = diverging(most)
  const at = (filter: number, channel: number, pixel: number) =>
    weights.data[(filter * channels + channel) * size + pixelOf(window, pixel)]!
  const level = (value: number) =>
    Number.isNaN(value) ? Number.NaN : Math.round(127.5 + 127.5 * Math.max(-1, Math.min(1, most > 0 ? value / most : 0)))
  const inColour = (filter: number, pixel: number): Colour => {
    const levels = [0, 1, 2].map((channel) => level(at(filter, channel, pixel)))
    return levels.some(Number.isNaN) ? colour(Number.NaN) : (levels as unknown as Colour)
  }
  const columns = perFilter === 1 ? Math.ceil(Math.sqrt(shownFilters)) : perFilter
  const tiles = shownFilters * perFilter
  const grid = gridOf({ tiles, columns, height, width, scale }, (tile, pixel) =>
    isColour ? inColour(tile, pixel) : colour(at(Math.floor(tile / perFilter), tile % perFilter, pixel)),
  )
  return { ...grid, most, colours: isColour ? 'colour' : 'diverging', shown: { filters: shownFilters, channels: seen } }
}

/** Height and width of a window's tile: of one axis a row, of three its slices side by side. */
const tileOf = (window: readonly number[]): [number, number] =>
  window.length === 3 ? [window[1]!, window[0]! * window[2]!] : window.length === 2 ? [window[0]!, window[1]!] : [1, window[0]!]

/** Where a tile's pixel lies within the window. */
function pixelOf(window: readonly number[], pixel: number): number {
  if (window.length < 3) return pixel
  const [depth, height, width] = window as [number, number, number]
  const [row, column] = [Math.floor(pixel / (depth * width)), pixel % (depth * width)]
  return (Math.floor(column / width) * height + row) * width + (column % width)
}

/**
 * The maps of one sample side by side, eight in a row: `output` of {@link featureMaps}. Where nothing is below 0, 0 is black and the largest number of all maps, `most`,
 * white; else blue is below 0, orange above it, nearly white 0. One rule for all maps of a layer, so that they can be compared. NaN is magenta.
 * What a layer gives without an image, `[N, C]`, is drawn as a tile of one pixel for each number, 32 in a row; sequences `[N, L, C]` as rows.
 * @throws INVALID_ARGUMENT
 */
export function mapGrid(output: Tensor, options: MapGridOptions = {}): Grid {
  checkOptions('mapGrid', options, ['sample', 'maps', 'side', 'scale'])
  const scale = checkInteger(options.scale ?? 1, 'mapGrid', 'scale', 1, 64)
  checkArray(output, 'mapGrid', 'output', ['Float32Array'])
  const [n = 1, ...sizes] = output.shape
  const sample = checkInteger(options.sample ?? 0, 'mapGrid', 'sample', 0, n - 1)
  const channels = sizes.at(-1) ?? 1
  const shownMaps = Math.min(channels, checkInteger(options.maps ?? channels, 'mapGrid', 'maps'))
  const window = sizes.slice(0, -1)
  const [height, width] = window.length === 0 ? [1, 1] : tileOf(window)
  const step = Math.ceil(Math.max(height, width) / checkInteger(options.side ?? Math.max(height, width), 'mapGrid', 'side'))
  const tile = { height: Math.ceil(height / step), width: Math.ceil(width / step) }
  const size = height * width * channels
  const data = output.data.subarray(sample * size, (sample + 1) * size)
  const { most, isSigned } = extentOf(data)
  const colour = isSigned ? diverging(most) : grey(most)
  const columns = Math.min(shownMaps, window.length === 0 ? 32 : window.length === 1 ? 1 : 8)
  const grid = gridOf({ tiles: shownMaps, columns, ...tile, scale }, (map, pixel) => {
    const [row, column] = [Math.floor(pixel / tile.width) * step, (pixel % tile.width) * step]
    return colour(data[pixelOf(window, row * width + column) * channels + map]!)
  })
  return { ...grid, most, colours: isSigned ? 'diverging' : 'grey', shown: { filters: shownMaps, channels: 1 } }
}

interface Tiles {
  readonly tiles: number
  readonly columns: number
  /** Of a tile, in numbers. */
  readonly height: number
  readonly width: number
  readonly scale: number
}

function gridOf(
  { tiles, columns, height, width, scale }: Tiles,
  colourOf: (tile: number, pixel: number) => Colour,
): Pick<Grid, 'shape' | 'data' | 'columns' | 'rows' | 'tile'> {
  const rows = Math.ceil(tiles / columns)
  // Tiles of one pixel need no line between them.
  const gap = height * width === 1 ? 0 : 1
  const [tall, wide] = [height * scale, width * scale]
  const shape = [rows * (tall + gap) - gap, columns * (wide + gap) - gap, 3] as const
  const data = new Uint8Array(shape[0] * shape[1] * 3)
  for (let pixel = 0; pixel < shape[0] * shape[1]; pixel++) data.set(GAP, pixel * 3)
  for (let tile = 0; tile < tiles; tile++) {
    const top = Math.floor(tile / columns) * (tall + gap)
    const left = (tile % columns) * (wide + gap)
    for (let pixel = 0; pixel < height * width; pixel++) {
      const colour = colourOf(tile, pixel)
      const place = (top + Math.floor(pixel / width) * scale) * shape[1] + left + (pixel % width) * scale
      for (let y = 0; y < scale; y++) for (let x = 0; x < scale; x++) data.set(colour, (place + y * shape[1] + x) * 3)
    }
  }
  return { shape, data, columns, rows, tile: [tall, wide] }
}
