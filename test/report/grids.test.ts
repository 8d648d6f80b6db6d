import { describe, expect, test } from 'vitest'
import { type Filters, featureMaps, filterGrid, filters, mapGrid, samplePicture, weightHistograms } from '../../lib/index'
import { expectError } from '../support/models'

function filtersOf(count: number, channels: number, window: readonly number[], data: readonly number[]): Filters {
  const weights = { shape: [count, channels, ...window], data: Float32Array.from(data) }
  return { layer: 'c', type: 'conv2d', name: 'c/kernel', weights, count, channels, window }
}

/** Red, green and blue of a pixel. */
const pixel = ({ shape, data }: { shape: readonly number[]; data: Uint8Array }, y: number, x: number) => [
  ...data.subarray((y * shape[1]! + x) * shape[2]!, (y * shape[1]! + x + 1) * shape[2]!),
]

const [blue, white, orange, magenta, gap] = [
  [33, 87, 155],
  [247, 247, 245],
  [192, 86, 20],
  [255, 0, 255],
  [128, 128, 128],
]

describe('filter grids', () => {
  test('of one channel are squares of tiles from blue through white to orange', () => {
    const grid = filterGrid(filtersOf(3, 1, [1, 2], [-2, 2, 0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]))
    expect(grid).toMatchObject({ shape: [3, 5, 3], columns: 2, rows: 2, tile: [1, 2], most: 2, colours: 'diverging' })
    expect([0, 1, 2, 3, 4].map((x) => pixel(grid, 0, x))).toEqual([blue, orange, gap, white, magenta])
    expect([0, 1, 2, 3].map((x) => pixel(grid, 2, x))).toEqual([orange, blue, gap, gap])
  })

  test('of three channels are in colour, middle grey at 0', () => {
    const grid = filterGrid(filtersOf(1, 3, [1, 2], [1, 0, -1, 0, 0.5, Number.NaN]))
    expect(grid).toMatchObject({ shape: [1, 2, 3], most: 1, colours: 'colour', shown: { filters: 1, channels: 3 } })
    expect([pixel(grid, 0, 0), pixel(grid, 0, 1)]).toEqual([[255, 0, 191], magenta])
  })

  test('of several channels have a row for each filter; as many as may be', () => {
    const filters = filtersOf(
      4,
      5,
      [2, 2],
      Array.from({ length: 80 }, (_, k) => k),
    )
    expect(filterGrid(filters)).toMatchObject({ columns: 5, rows: 4, shape: [11, 14, 3] })
    expect(filterGrid(filters, { tiles: 6, channels: 2 })).toMatchObject({ columns: 2, rows: 3, shown: { filters: 3, channels: 2 } })
    expect(filterGrid(filtersOf(2, 2, [2, 1, 3], new Array(24).fill(0))).tile).toEqual([1, 6])
    expect(filterGrid(filtersOf(6, 4, [1, 1], new Array(24).fill(1)))).toMatchObject({ tile: [1, 1], shape: [6, 4, 3] })
  })

  test('refuse bad options', async () => {
    const filters = filtersOf(1, 1, [1], [0])
    await expectError(() => filterGrid(filters, { tiles: 0 }), 'INVALID_ARGUMENT', 'filterGrid: tiles')
    await expectError(() => filterGrid(filters, { tile: 1 } as never), 'INVALID_ARGUMENT', 'unknown option "tile"')
  })
})

describe('map grids', () => {
  test('are grey where nothing is below 0, else blue and orange, by one rule for all maps', () => {
    const output = { shape: [2, 1, 2, 2], data: Float32Array.of(0, 4, 2, 1, -1, 0, 1, 0.5) }
    const grid = mapGrid(output)
    expect(grid).toMatchObject({ shape: [1, 5, 3], most: 4, colours: 'grey', columns: 2 })
    // The first map is 0, 2; the second 4, 1.
    expect([0, 1, 3, 4].map((x) => pixel(grid, 0, x)[0])).toEqual([0, 128, 255, 64])
    const second = mapGrid(output, { sample: 1 })
    expect(second).toMatchObject({ most: 1, colours: 'diverging' })
    expect([pixel(second, 0, 0), pixel(second, 0, 1), pixel(second, 0, 3)]).toEqual([blue, orange, white])
  })

  test('leave out pixels of large maps, and maps; vectors are rows of pixels', () => {
    const image = { shape: [1, 100, 50, 3], data: new Float32Array(15_000) }
    expect(mapGrid(image, { side: 25, maps: 2 })).toMatchObject({ tile: [25, 13], shape: [25, 27, 3], most: 0, shown: { filters: 2 } })
    expect(mapGrid({ shape: [1, 40], data: new Float32Array(40).fill(1) })).toMatchObject({ shape: [2, 32, 3], columns: 32 })
    expect(mapGrid({ shape: [1, 6, 2], data: new Float32Array(12) })).toMatchObject({ tile: [1, 6], columns: 1, rows: 2 })
    expect(mapGrid({ shape: [1, 2, 3, 4, 1], data: new Float32Array(24) }).tile).toEqual([3, 8])
  })

  test('refuse a sample that there is not', async () => {
    const output = { shape: [1, 1], data: new Float32Array(1) }
    await expectError(() => mapGrid(output, { sample: 1 }), 'INVALID_ARGUMENT', 'mapGrid: sample')
  })
})

test('samples as pictures: bytes as they are, floats from 0 to 1 or from their least to their largest', () => {
  expect(samplePicture({ shape: [1, 2, 1], data: Uint8Array.of(3, 200) })).toEqual({ shape: [1, 2, 1], data: Uint8Array.of(3, 200) })
  expect(samplePicture({ shape: [1, 2, 1], data: Float32Array.of(0.2, 1) }).data).toEqual(Uint8Array.of(51, 255))
  expect(samplePicture({ shape: [2, 1], data: Float32Array.of(-3, 1) })).toEqual({ shape: [2, 1, 1], data: Uint8Array.of(0, 255) })
  expect(samplePicture({ shape: [1, 2, 2], data: Uint8Array.of(1, 2, 3, 4) })).toEqual({
    shape: [1, 4, 1],
    data: Uint8Array.of(1, 3, 2, 4),
  })
  expect(samplePicture({ shape: [3], data: Float32Array.of(Number.NaN, 5, 5) })).toEqual({ shape: [1, 3, 1], data: Uint8Array.of(0, 0, 0) })
})

test('sequences as curves, volumes as slices, numbers alone in rows', () => {
  // Two channels of ten, one rises and one falls: bands of 47 pixels, 16 columns for each number, a line between them.
  const x = Float32Array.from({ length: 20 }, (_, k) => (k % 2 === 0 ? k / 18 : 1 - (k - 1) / 18))
  const picture = samplePicture({ shape: [10, 2], data: x })
  expect(picture.shape).toEqual([97, 160, 1])
  const lit = (column: number) =>
    Array.from({ length: 97 }, (_, y) => pixel(picture, y, column)[0]!).flatMap((level, y) => (level === 255 ? [y] : []))
  expect(lit(0)).toEqual([47, 49])
  expect(lit(159)).toEqual([0, 96])
  // Where a number begins, a line leads to it from the one before.
  expect(lit(15)).toEqual(lit(1))
  expect(lit(16).length).toBeGreaterThan(8)
  expect(pixel(picture, 48, 3)).toEqual([128])
  // More than a pixel can hold: its column goes from the least to the largest.
  const long = samplePicture({ shape: [16_000, 1], data: Float32Array.from({ length: 16_000 }, (_, k) => k % 2) })
  expect(long.shape).toEqual([96, 160, 1])
  expect(long.data.every((level) => level === 255)).toBe(true)
  // Of many channels a row each.
  const many = samplePicture({ shape: [100, 20], data: Uint8Array.from({ length: 2000 }, (_, k) => k % 20) })
  expect(many.shape).toEqual([20, 100, 1])
  expect(pixel(many, 7, 50)).toEqual([7])
  const volume = samplePicture({ shape: [3, 1, 2, 1], data: Uint8Array.of(1, 2, 3, 4, 5, 6) })
  expect(volume).toEqual({ shape: [3, 5, 1], data: Uint8Array.of(1, 2, 128, 3, 4, 128, 128, 128, 128, 128, 5, 6, 128, 128, 128) })
  expect(samplePicture({ shape: [784], data: new Uint8Array(784) }).shape).toEqual([28, 28, 1])
  const odd = samplePicture({ shape: [40], data: new Uint8Array(40) })
  expect([odd.shape, odd.data[39], odd.data[40]]).toEqual([[2, 32, 1], 0, 128])
})

test('what is no sample, no filters and no model is refused', async () => {
  await expectError(() => samplePicture(undefined as never), 'INVALID_TENSOR', 'samplePicture')
  await expectError(() => samplePicture({ shape: [2, 2, 1], data: new Float32Array(3) }), 'INVALID_TENSOR', 'samplePicture')
  await expectError(() => samplePicture({ shape: [2, 1, 1], data: [1, 2] } as never), 'INVALID_TENSOR', 'samplePicture')
  await expectError(() => filterGrid(undefined as never), 'INVALID_TENSOR', 'filterGrid')
  for (const of of [filters, featureMaps, weightHistograms])
    await expectError(() => of({} as never, {} as never), 'INVALID_ARGUMENT', 'must be a model')
})
