import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lineChart, rangeOf, ticks } from '../../lib/report/chart'
import { lanesOf } from '../../lib/report/graph'
import { shrunk } from '../../lib/report/pictures'
import { escapeHtml, html, number, percent, sizes, time } from '../../lib/report/text'

const someCases = { numRuns: Number(process.env.CONVLANE_PROPERTY_CASES ?? 20) * 5 }

describe('charts', () => {
  test('have ticks of 1, 2 or 5 times a power of ten', () => {
    expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
    expect(ticks(0.794, 0.997, 5)).toEqual([0.8, 0.85, 0.9, 0.95])
    expect(ticks(-3, 4, 4)).toEqual([-2, 0, 2, 4])
    expect(ticks(1, 5, 6, 1)).toEqual([1, 2, 3, 4, 5])
    expect(ticks(0, 3e-7, 3)).toEqual([0, 1e-7, 2e-7, 3e-7])
  })

  test('reach from the least to the largest finite number, from 0 where that is near', () => {
    expect(rangeOf([0.1, 2, Number.NaN])).toEqual([0, 2])
    expect(rangeOf([0.8, 1])).toEqual([0.8, 1])
    expect(rangeOf([3, 3])).toEqual([1.5, 4.5])
    expect(rangeOf([0])).toEqual([-0.5, 0.5])
    expect(rangeOf([Number.NaN, Number.POSITIVE_INFINITY])).toEqual([0, 1])
  })

  test('have short numbers at their axes, none beyond the edge', () => {
    const chart = (high: number) =>
      lineChart({
        title: 't',
        xLabel: 'epoch',
        series: [
          {
            name: 'a',
            colour: 1,
            points: [
              [1, 0],
              [20_000, high],
            ],
          },
        ],
      }).text
    expect(chart(1.5e38)).toContain('text-anchor="end">1.5e+38<')
    expect(chart(3e7)).toContain('text-anchor="end">3e+7<')
    expect(chart(900_000)).toContain('text-anchor="end">800,000<')
    expect(chart(1)).toContain('<text x="400" y="204" text-anchor="end">20,000</text>')
  })

  test('hold finite places, whatever the numbers are', () => {
    const points = fc.array(fc.tuple(fc.double(), fc.double()), { maxLength: 20 })
    fc.assert(
      fc.property(points, (given) => {
        const { text } = lineChart({ title: 't', xLabel: 'x', series: [{ name: 'a', colour: 1, points: given, dots: true }] })
        const places = [...text.matchAll(/ (?:d|x|y|cx|cy)="([^"]*)"/g)].map(([, place]) => place!).join(' ')
        expect(places).not.toMatch(/NaN|Infinity|undefined|e/)
      }),
      someCases,
    )
  })
})

describe('graphs', () => {
  const call = (...inputs: number[]) => ({ layer: 0, inputs, shape: [null, 1] })
  const lanes = (inputs: number, calls: number[][]) => {
    const ends = Array.from({ length: inputs }, (_, k) => ({ name: `i${k}`, shape: [1] }))
    return lanesOf({ inputs: ends, calls: calls.map((places) => call(...places)) })
  }

  test('a chain takes one lane, a branch another, which is free behind it', () => {
    expect(lanes(1, [[0], [1], [2]]).rows.map(({ lane }) => lane)).toEqual([0, 0, 0, 0])
    // 0 → 1 → 2, then 0 + 2, twice.
    const { rows, lanes: count } = lanes(1, [[0], [1], [0, 2], [3], [3, 4]])
    expect(rows.map(({ lane }) => lane)).toEqual([0, 1, 1, 0, 1, 0])
    expect(count).toBe(2)
    expect(rows[3]!.path).toMatch(/C/)
  })

  test('inputs that stand side by side keep their lanes', () => {
    expect(lanes(2, [[1], [0, 2]]).rows.map(({ lane }) => lane)).toEqual([0, 1, 1, 0])
  })
})

test('large pictures become means over squares', () => {
  const picture = { shape: [2, 4, 1], data: Uint8Array.of(0, 10, 20, 30, 4, 6, 40, 50) } as const
  expect(shrunk(picture, 2)).toEqual({ shape: [1, 2, 1], data: Uint8Array.of(5, 35) })
  expect(shrunk(picture, 4)).toEqual(picture)
})

test('texts are escaped, numbers short', () => {
  expect(html`<b title="${`"'<&>\``}">${['<', html`<i>x</i>`, undefined, false, 3]}</b>`.text).toBe(
    '<b title="&#34;&#39;&#60;&#38;&#62;&#96;">&#60;<i>x</i>3</b>',
  )
  expect(escapeHtml('a&b')).toBe('a&#38;b')
  expect([0, 1234567, 0.123456, 12345.678, 1e-7, 1e12, Number.NaN].map(number)).toEqual([
    '0',
    '1,234,567',
    '0.1235',
    '12,345.7',
    '1.00e-7',
    '1,000,000,000,000',
    'NaN',
  ])
  expect([1, 0.99999, 0.1, Number.NaN].map(percent)).toEqual(['100.00 %', '99.99 %', '10.00 %', 'NaN'])
  expect([2e-6, 0.012, 3.21, 3599.7, 7260].map(time)).toEqual(['2.0 µs', '12.00 ms', '3.2 s', '1 h 0 min', '2 h 1 min'])
  expect([sizes([null, 2, 3]), sizes([null])]).toEqual(['2 × 3', 'one number'])
})
