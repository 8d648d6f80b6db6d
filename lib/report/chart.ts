import { html, type Markup, number } from './text'

/** One line of a chart. */
export interface Series {
  readonly name: string
  /** Which colour of the page's, 1 to 3. */
  readonly colour: 1 | 2 | 3
  /** Where a number is not finite, the line is broken. */
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Drawn with a dot at each point, which tells its numbers. Default: none. */
  readonly dots?: boolean
  /** Drawn thin, as what is noisy and lies beside other lines. Default: not. */
  readonly thin?: boolean
}

export interface Chart {
  readonly title: string
  readonly xLabel: string
  readonly series: readonly Series[]
  readonly format?: (y: number) => string
}

const [WIDTH, HEIGHT] = [400, 230]
const [LEFT, RIGHT, TOP, BOTTOM] = [62, 10, 12, 44]

/** Steps of 1, 2 or 5 times a power of ten, about so many in the range. */
export function ticks(low: number, high: number, about: number, least = 0): number[] {
  const raw = (high - low) / about
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = Math.max(least, power * ([1, 2, 5].find((factor) => factor * power >= raw * 0.999) ?? 10))
  const first = Math.ceil(low / step - 1e-9)
  const count = Math.floor(high / step + 1e-9) - first + 1
  // Counted in whole steps, and rounded, so that 0.30000000000000004 is 0.3.
  return Array.from({ length: Math.max(0, count) }, (_, k) => Number(((first + k) * step).toPrecision(12)))
}

/** Finite, and so that differences are. */
const isDrawable = (value: number) => Math.abs(value) < 1e300

/** Points at numbers of epochs; those that break the line as NaN. */
const drawable = (points: Series['points']): Series['points'] =>
  points.filter(([x]) => x >= 0 && x < 1e9).map(([x, y]) => [x, isDrawable(y) ? y : Number.NaN])

/** The least and the largest finite number, apart by something; from 0 where that is near. */
export function rangeOf(values: readonly number[]): [number, number] {
  const finite = values.filter(isDrawable)
  if (finite.length === 0) return [0, 1]
  let low = finite.reduce((a, b) => Math.min(a, b))
  const high = finite.reduce((a, b) => Math.max(a, b))
  if (low > 0 && low < high * 0.4) low = 0
  const size = Math.max(Math.abs(low), Math.abs(high))
  if (size < 1e-290) return [-0.5, 0.5]
  return high - low > size * 1e-9 ? [low, high] : [low - size / 2, high + size / 2]
}

const digits = (value: number) => Number(value.toFixed(1))

/** A number at an axis: short, since ticks are round. */
const atAxis = (value: number, format: (y: number) => string) =>
  format === number && Math.abs(value) >= 1e6
    ? value.toExponential()
    : format(value).replace(/\.(\d*?)0+(?=e| %)/, (_, kept) => (kept === '' ? '' : `.${kept}`))

/** Lines over numbers of epochs. */
export function lineChart({ title, xLabel, series: given, format = number }: Chart): Markup {
  const series = given.map((one) => ({ ...one, points: drawable(one.points) }))
  const points = series.flatMap((one) => one.points)
  const last = points.reduce((most, [x]) => Math.max(most, x), 1)
  const first = points.reduce((least, [x]) => Math.min(least, x), last)
  const [from, to] = first === last ? [Math.max(0, first - 1), last + 1] : [Math.floor(first), last]
  const [low, high] = rangeOf(points.map(([, y]) => y))
  const x = (value: number) => digits(LEFT + ((value - from) / (to - from)) * (WIDTH - LEFT - RIGHT))
  const y = (value: number) => digits(HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM))
  const base = HEIGHT - BOTTOM
  return html`<figure class="chart"><figcaption>${title}${
    series.length > 1 &&
    html`<span class="legend">${series.map(
      ({ name, colour, thin }) => html`<span class="${thin ? 'key thin' : 'key'} c${colour}">${name}</span>`,
    )}</span>`
  }</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}: ${given.map((one) => summaryOf(one, format)).join('; ')}">
${ticks(low, high, 5).map(
  (value) =>
    html`<path class="grid" d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}"/><text x="${LEFT - 7}" y="${y(value) + 4}" text-anchor="end">${atAxis(value, format)}</text>`,
)}
<path class="axis" d="M${LEFT} ${TOP}V${base}H${WIDTH - RIGHT}"/>
${ticks(from, to, 6, 1).map((value) => {
  // What would reach beyond the edge ends there.
  const isLast = x(value) + 4 * number(value).length > WIDTH
  return html`<text x="${isLast ? WIDTH : x(value)}" y="${base + 18}" text-anchor="${isLast ? 'end' : 'middle'}">${number(value)}</text>`
})}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 4}" text-anchor="middle">${xLabel}</text>
${series.map(({ name, colour, points, dots, thin }) => [
  html`<path class="${thin ? 'line thin' : 'line'} c${colour}" d="${pathOf(points.map(([a, b]) => [x(a), y(b)]))}"/>`,
  dots &&
    points.map(
      ([a, b]) =>
        Number.isFinite(b) &&
        html`<circle class="c${colour}" cx="${x(a)}" cy="${y(b)}" r="${points.length > 60 ? 1.5 : 3}"><title>${name}, ${xLabel} ${number(a)}: ${format(b)}</title></circle>`,
    ),
])}
</svg></figure>`
}

function summaryOf({ name, points }: Series, format: (y: number) => string): string {
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last) return `${name} without numbers`
  return points.length === 1 ? `${name} ${format(last[1])}` : `${name} from ${format(first[1])} to ${format(last[1])}`
}

/** Lines through points, broken where one is not finite. */
function pathOf(points: readonly (readonly [number, number])[]): string {
  let isDown = false
  return points
    .map(([x, y]) => {
      if (!Number.isFinite(y)) {
        isDown = false
        return ''
      }
      const command = isDown ? 'L' : 'M'
      isDown = true
      return `${command}${x} ${y}`
    })
    .join('')
}

/** Bars over even parts. */
export function bars(counts: readonly number[], colour: 1 | 2, label: string): Markup {
  const most = counts.reduce((a, b) => Math.max(a, b), 1)
  const path = counts
    .map((count, k) => (count === 0 ? '' : `M${k * 4} 40h3.5V${digits(40 - Math.max(0.5, (40 * count) / most))}h-3.5z`))
    .join('')
  return html`<svg class="bars" viewBox="0 0 ${counts.length * 4} 41" preserveAspectRatio="none" role="img" aria-label="${label}"><path class="c${colour} fill" d="${path}"/><path class="axis" d="M0 40.5H${counts.length * 4}"/></svg>`
}

/** Points over what they should be, and the line on which they would be right. */
export function scatter(title: string, pairs: readonly (readonly [target: number, said: number])[]): Markup {
  const [low, high] = rangeOf(pairs.flat())
  const side = HEIGHT - TOP - BOTTOM
  const x = (value: number) => digits(LEFT + ((value - low) / (high - low)) * side)
  const y = (value: number) => digits(HEIGHT - BOTTOM - ((value - low) / (high - low)) * side)
  const dots = pairs.filter((pair) => pair.every(Number.isFinite)).map(([target, said]) => `M${x(target)} ${y(said)}h0`)
  const base = HEIGHT - BOTTOM
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${LEFT + side + 30} ${HEIGHT}" role="img" aria-label="${title}: ${number(dots.length)} samples, both from ${number(low)} to ${number(high)}">
${ticks(low, high, 4).map(
  (value) =>
    html`<path class="grid" d="M${LEFT} ${y(value)}h${side}M${x(value)} ${base}v${-side}"/><text x="${LEFT - 7}" y="${y(value) + 4}" text-anchor="end">${atAxis(value, number)}</text><text x="${x(value)}" y="${base + 18}" text-anchor="middle">${atAxis(value, number)}</text>`,
)}
<path class="axis" d="M${LEFT} ${base}L${LEFT + side} ${base - side}"/>
<path class="points c1" d="${dots.join('')}"/>
<text x="${LEFT + side / 2}" y="${HEIGHT - 4}" text-anchor="middle">target</text>
</svg></figure>`
}
