import { describe, expect, test } from 'vitest'
import { augmentAttributes, mixupAttributes } from '../../lib/augment/attributes'
import { betaQuantiles } from '../../lib/augment/beta'
import * as t from '../../lib/augment/transformations'
import { compute } from '../support/compute'

type Rows = readonly (readonly number[])[]

/** What one image of one channel, or of several given as flat pixels, becomes. */
function augmented(rows: Rows, list: readonly t.Transformation[], { channels = 1, seed = 1, bytes = false } = {}): number[][] {
  const shape = [1, rows.length, rows[0]!.length / channels, channels]
  const { y } = compute('augment', { x: { shape, data: rows.flat() } }, { y: shape }, augmentAttributes(list, bytes), { seed, step: 1 })
  const width = rows[0]!.length
  return rows.map((_, row) => [...y!.subarray(row * width, (row + 1) * width)])
}

const near = (actual: readonly (readonly number[])[], expected: Rows) =>
  expected.forEach((row, y) => {
    row.forEach((value, x) => {
      expect(actual[y]![x], `[${y}, ${x}]`).toBeCloseTo(value, 10)
    })
  })

const square = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
]

describe('transformations of an image, by numbers computed by hand', () => {
  test('turned by quarters, counter-clockwise', () => {
    const quarter = (degrees: number) => augmented(square, [t.rotate({ degrees: [degrees, degrees] })])
    const turned = [
      [3, 6, 9],
      [2, 5, 8],
      [1, 4, 7],
    ]
    near(quarter(90), turned)
    near(quarter(-270), turned)
    near(
      quarter(180),
      [...square].reverse().map((row) => [...row].reverse()),
    )
  })

  test('turned by an eighth: corners come from halfway along the edges, and beyond', () => {
    const [top] = augmented(square, [t.rotate({ degrees: [45, 45] })])
    // The upper middle comes from (√½, √½) up and to the right of the middle: 5, 6, 2, 3 mixed.
    const s = Math.SQRT1_2
    expect(top![1]).toBeCloseTo((1 - s) * ((1 - s) * 5 + s * 6) + s * ((1 - s) * 2 + s * 3), 10)
  })

  test('resized, stretched and slanted', () => {
    const double = augmented([[0, 4, 8, 12]], [t.scale([2, 2], { mode: 'edge' })])
    near(double, [[3, 5, 7, 9]])
    const half = augmented([[0, 4, 8, 12]], [t.scale([0.5, 0.5], { value: -1 })])
    near(half, [[-1, 2, 10, -1]])
    const wide = t.affine({ stretch: [2, 2], mode: 'edge' })
    near(augmented(square, [wide]), [
      [1.5, 2, 2.5],
      [4.5, 5, 5.5],
      [7.5, 8, 8.5],
    ])
    near(augmented(square, [t.shear([1, 1])]), [
      [2, 3, 0],
      [4, 5, 6],
      [0, 7, 8],
    ])
  })

  test('mirrored', () => {
    near(augmented(square, [t.flip({ probability: 1 })]), [
      [3, 2, 1],
      [6, 5, 4],
      [9, 8, 7],
    ])
    near(augmented(square, [t.flip({ vertical: true, probability: 1 })]), [...square].reverse())
    near(augmented([[1, 10, 2, 20, 3, 30]], [t.flip({ probability: 1 })], { channels: 2 }), [[3, 30, 2, 20, 1, 10]])
  })

  test('shifted, with what each mode shows outside', () => {
    const shown = { constant: new Set<string>(), edge: new Set<string>(), reflect: new Set<string>() }
    for (let seed = 0; seed < 60; seed++)
      for (const mode of ['constant', 'edge', 'reflect'] as const)
        shown[mode].add(String(augmented([[1, 2, 3]], [t.shift([0, 1], { mode, value: 9 })], { seed })[0]))
    expect([...shown.constant].sort()).toEqual(['1,2,3', '2,3,9', '9,1,2'])
    expect([...shown.edge].sort()).toEqual(['1,1,2', '1,2,3', '2,3,3'])
    expect([...shown.reflect].sort()).toEqual(['1,2,3', '2,1,2', '2,3,2'])
  })

  test('brightness, contrast and saturation, and the range that they are brought into', () => {
    near(
      augmented(square, [t.brightness([2, 2])]),
      square.map((row) => row.map((value) => 2 * value)),
    )
    near(augmented([[100, 200]], [t.brightness([2, 2])], { bytes: true }), [[200, 255]])
    near(
      augmented(square, [t.contrast([0.5, 0.5])]),
      square.map((row) => row.map((value) => 2.5 + value / 2)),
    )
    // Grey of the pixels: 0.299 · 10 + 0.587 · 20 + 0.114 · 30 = 18.15, and 100.
    const pixels = [[10, 20, 30, 100, 100, 100]]
    near(augmented(pixels, [t.saturation([0, 0])], { channels: 3 }), [[18.15, 18.15, 18.15, 100, 100, 100]])
    near(augmented(pixels, [t.saturation([3, 3], { range: [0, 50] })], { channels: 3 }), [[0, 23.7, 50, 50, 50, 50]])
    near(augmented(pixels, [t.contrast([0, 0])], { channels: 3 }), [new Array(6).fill((18.15 + 100) / 2)])
    near(augmented([[10, 20, 30, 7]], [t.saturation([0, 0])], { channels: 4 }), [[18.15, 18.15, 18.15, 7]])
  })

  test('cut out: a square whose middle is in the image', () => {
    const holes = new Set<string>()
    for (let seed = 0; seed < 200; seed++)
      holes.add(
        augmented(square, [t.cutout({ size: 2, value: 0 })], { seed })
          .flat()
          .join(),
      )
    // A square of two by two ends at its middle: nine places, of which five lie over the upper or the left edge.
    expect(holes.size).toBe(9)
    expect(holes).toContain('0,2,3,4,5,6,7,8,9')
    expect(holes).toContain('1,2,3,4,0,0,7,0,0')
    expect(holes).not.toContain('1,2,3,4,5,6,7,8,0')
  })

  test('a random order is every order', () => {
    const results = new Set<number>()
    const order = t.randomOrder(t.brightness([2, 2]), t.contrast([0, 0]), t.cutout({ size: 1, value: 3 }))
    for (let seed = 0; seed < 60; seed++) results.add(augmented([[1, 1]], [order], { seed })[0]![0]!)
    // Cut out (3, or the neighbour) first, in the middle or last; doubled; the mean of both.
    expect([...results].sort((a, b) => a - b)).toEqual([2, 2.5, 3, 4, 6].filter((value) => results.has(value)))
    expect(results.size).toBeGreaterThan(3)
  })
})

describe('what changes nothing gives the same image', () => {
  const nothing: Record<string, readonly t.Transformation[]> = {
    'an empty list': [],
    'no distance': [t.shift(0)],
    'no turn, no change of size': [t.affine({})],
    'a full turn': [t.rotate({ degrees: [360, 360] })],
    'factors of 1': [t.brightness(0), t.contrast(0)],
    'no chance': [
      t.shift(2, { probability: 0 }),
      t.rotate({ degrees: 45, probability: 0 }),
      t.flip({ probability: 0 }),
      t.cutout({ size: 3, probability: 0 }),
    ],
  }
  test.each(Object.entries(nothing))('%s', (_name, list) => {
    const image = [
      [0.1, 0.7, 1e-3],
      [3, -5, 0.3],
    ]
    near(augmented(image, list), image)
  })
})

describe('draws', () => {
  const images = 1800
  const shape = [images, 3, 3, 1]
  const run = (list: readonly t.Transformation[]) => {
    const data = Array.from({ length: images }, () => [0, 0, 0, 0, 1, 0, 0, 0, 0]).flat()
    return compute('augment', { x: { shape, data } }, { y: shape }, augmentAttributes(list, false), { seed: 4, step: 9 }).y!
  }

  test('every shift is as likely as the others', () => {
    const counts = new Array(9).fill(0)
    const y = run([t.shift(1)])
    y.forEach((value, index) => {
      counts[index % 9] += value
    })
    expect(counts.reduce((sum, count) => sum + count)).toBe(images)
    // 200 expected of each; chi-square with 8 degrees of freedom is above 26 once in a thousand.
    expect(counts.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0)).toBeLessThan(26)
  })

  test('a chance is met as often as it says, by each transformation on its own', () => {
    const y = run([t.brightness([3, 3], { probability: 0.25 }), t.brightness([5, 5], { probability: 0.5 })])
    const count = (value: number) => y.filter((other) => other === value).length
    expect(count(3) / images).toBeCloseTo(0.125, 1)
    expect(count(5) / images).toBeCloseTo(0.375, 1)
    expect(count(15) / images).toBeCloseTo(0.125, 1)
    expect(count(1) + count(3) + count(5) + count(15)).toBe(images)
  })

  test('a factor is spread evenly over its range', () => {
    const factors = [...run([t.brightness([2, 4])])].filter((value) => value > 0).sort((a, b) => a - b)
    // Kolmogorov and Smirnov: the largest distance is above 1.95 / √n once in a thousand.
    const distance = Math.max(...factors.map((factor, index) => Math.abs((factor - 2) / 2 - (index + 0.5) / images)))
    expect(factors).toHaveLength(images)
    expect(distance).toBeLessThan(1.95 / Math.sqrt(images))
  })

  test('other seeds, steps and samples draw others; the same draw the same', () => {
    const of = (seed: number, step: number) => [
      ...compute(
        'augment',
        { x: { shape: [2, 1, 1, 1], data: [1, 1] } },
        { y: [2, 1, 1, 1] },
        augmentAttributes([t.brightness([0, 1])], false),
        { seed, step },
      ).y!,
    ]
    expect(of(1, 1)).toEqual(of(1, 1))
    const all = [...of(1, 1), ...of(2, 1), ...of(1, 2), ...of(1, 2 ** 32 + 1), ...of(2 ** 32 + 1, 1)]
    expect(new Set(all).size).toBe(all.length)
  })
})

describe('mixup', () => {
  const mix = (n: number, options: t.MixupOptions, x = Array.from({ length: n }, (_, i) => 10 ** i)) => [
    ...compute('mixup', { x: { shape: [n], data: x } }, { y: [n] }, mixupAttributes(t.mixup(options), 0), { seed: 2, step: 5 }).y!,
  ]

  test('each is mixed with one other, the same number further', () => {
    const shares = mix(4, { alpha: 1 })
    const partners = shares.map((value, i) =>
      [0, 1, 2, 3].filter((j) => j !== i && value >= Math.min(10 ** i, 10 ** j) && value <= Math.max(10 ** i, 10 ** j)),
    )
    const away = [1, 2, 3].filter((distance) => partners.every((list, i) => list.includes((i + distance) % 4)))
    expect(away.length).toBeGreaterThan(0)
    expect(mix(1, { alpha: 1 })).toEqual([1])
    expect(mix(3, { probability: 0 })).toEqual([1, 10, 100])
  })

  test('shares follow Beta(α, α): quantiles of distributions that are known', () => {
    const even = betaQuantiles(1)
    even.forEach((share, index) => {
      expect(share).toBeCloseTo(index / 1024, 12)
    })
    // Arcsine for ½: sin²(πu/2). For 2: 3x² − 2x³ = u.
    betaQuantiles(0.5).forEach((share, index) => {
      expect(share).toBeCloseTo(Math.sin((Math.PI * index) / 2048) ** 2, 12)
    })
    betaQuantiles(2).forEach((share, index) => {
      expect(3 * share ** 2 - 2 * share ** 3).toBeCloseTo(index / 1024, 12)
    })
    for (const alpha of [0.01, 0.2, 100]) {
      const quantiles = betaQuantiles(alpha)
      expect(quantiles).toEqual([...quantiles].sort((a, b) => a - b))
      expect([quantiles[0], quantiles[512], quantiles[1024]]).toEqual([0, 0.5, 1])
    }
  })
})
