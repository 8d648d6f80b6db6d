import { capital, make, tickText, valueText } from './text.mjs'

/** @typedef {(number | null)[]} Column */
/** @typedef {{ readonly label: string, readonly kind: 'step' | 'only' | 'train' | 'validation', readonly at: number[], readonly values: Column }} Line */

const HEIGHT = 210

/** How lines look: told apart without their colours, too. */
const looks = {
  step: { colour: '--faint', width: 1, dash: [], points: false },
  only: { colour: '--train', width: 1, dash: [], points: false },
  train: { colour: '--train', width: 2, dash: [], points: true },
  validation: { colour: '--validation', width: 2, dash: [6, 4], points: true },
}

/** Curves over the number of the step, with values that can be read with the pointer, by keys, and by ear. */
export class Chart {
  /** @param {string} name */
  constructor(name) {
    this.name = name
    /** @type {Line[]} */
    this.lines = []
    this.isLog = false
    /** Shape of the lines that the plot was made for. */
    this.form = ''
    /** @type {[number, number] | undefined} What is looked at closer. */
    this.zoom = undefined
    /** @type {uPlot | undefined} */
    this.plot = undefined
    this.box = make('div', { class: 'plot', tabindex: '0', role: 'img' })
    this.values = make('dl', { class: 'values' })
    this.figure = make('figure', { 'data-curve': name }, make('h3', {}, capital(name)), this.box, this.values)
    this.box.addEventListener('keydown', (event) => this.key(event))
    this.box.addEventListener('blur', () => this.leave())
    this.box.addEventListener('dblclick', () => this.showAll())
    new ResizeObserver(() => this.plot?.setSize({ width: this.box.clientWidth, height: HEIGHT })).observe(this.box)
  }

  /**
   * @param {Line[]} lines
   * @param {boolean} isLog
   */
  show(lines, isLog) {
    this.lines = lines
    this.isLog = isLog
    const form = JSON.stringify([lines.map(({ label, kind }) => [label, kind]), isLog])
    const data = this.data()
    if (form === this.form && this.plot) this.plot.setData(data)
    else this.draw(data, form)
    this.tell()
  }

  /** Draws anew: other lines, other colours. */
  redraw() {
    if (this.plot) this.draw(this.data(), this.form)
  }

  /** All lines over the steps of any. */
  data() {
    const positive = (/** @type {Column} */ column) =>
      this.isLog ? column.map((value) => (value !== null && value > 0 ? value : null)) : column
    const tables = this.lines.map(({ at, values }) => /** @type {uPlot.AlignedData} */ ([at, positive(values)]))
    return tables.length > 0 ? uPlot.join(tables) : /** @type {uPlot.AlignedData} */ ([[]])
  }

  /**
   * @param {uPlot.AlignedData} data
   * @param {string} form
   */
  draw(data, form) {
    this.form = form
    this.plot?.destroy()
    const style = getComputedStyle(document.documentElement)
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim()
    const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--grid'), width: 1 }, ticks: { stroke: colour('--grid'), width: 1 } }
    const whole = (/** @type {uPlot} */ _, /** @type {number[]} */ splits) =>
      splits.map((at) => (Number.isInteger(at) ? at.toLocaleString('en') : ''))
    const tick = (/** @type {uPlot} */ _, /** @type {(number | null)[]} */ splits) =>
      splits.map((value) => (value === null ? '' : tickText(this.name, value)))
    this.plot = new uPlot(
      {
        width: Math.max(100, this.box.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
        scales: {
          x: { time: false, range: (_, low, high) => this.zoom ?? (low === high ? [low - 1, high + 1] : [low, high]) },
          y: this.isLog ? { distr: 3 } : {},
        },
        axes: [
          { ...axis, values: whole, size: 34 },
          { ...axis, values: tick, size: 70 },
        ],
        series: [
          {},
          ...this.lines.map(({ label, kind }) => {
            const look = looks[kind]
            const stroke = colour(look.colour)
            const points = { show: look.points, size: 6, stroke, fill: stroke }
            return { label, stroke, width: look.width, dash: look.dash, spanGaps: true, points }
          }),
        ],
        hooks: {
          setCursor: [() => this.tell()],
          setSelect: [
            (plot) => {
              const { left, width } = plot.select
              if (width < 4) return
              this.zoom = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]
              plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
              plot.setData(plot.data)
            },
          ],
        },
      },
      data,
      this.box,
    )
  }

  showAll() {
    this.zoom = undefined
    this.plot?.setData(this.plot.data)
  }

  /** Values where the cursor is, else the last. */
  tell() {
    const { plot } = this
    const index = plot?.cursor.idx
    const at = plot && typeof index === 'number' ? plot.data[0][index] : undefined
    const found = this.lines.map((line) => ({ line, index: at === undefined ? line.at.length - 1 : nearest(line.at, at) }))
    this.values.replaceChildren(
      ...found.map(({ line, index }) => {
        const value = line.values[index]
        const where = index < 0 ? '' : ` at ${line.at[index]?.toLocaleString('en')}`
        const number = make('dd', { 'data-value': String(value ?? ''), 'data-line': line.label }, `${valueText(this.name, value)}${where}`)
        return make('div', {}, make('span', { class: `mark ${line.kind}` }), make('dt', {}, line.label), number)
      }),
    )
    const text = found.map(({ line, index }) => `${line.label} ${valueText(this.name, line.values[index])} at step ${line.at[index] ?? 0}`)
    this.box.setAttribute('aria-label', `${capital(this.name)} by step. ${text.join('; ')}.`)
  }

  leave() {
    this.values.removeAttribute('aria-live')
    this.plot?.setCursor({ left: -10, top: -10 })
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { plot } = this
    if (!plot || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Escape') {
      this.leave()
      return this.showAll()
    }
    const at = plot.data[0]
    const [first, last] = plot.series[0]?.idxs ?? [0, at.length - 1]
    const now = plot.cursor.idx ?? last + 1
    const moves = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: first, End: last, PageUp: now - 20, PageDown: now + 20 }
    if (at.length === 0 || !Object.hasOwn(moves, event.key)) return
    event.preventDefault()
    this.values.setAttribute('aria-live', 'polite')
    const index = Math.min(last, Math.max(first, moves[/** @type {keyof typeof moves} */ (event.key)]))
    plot.setCursor({ left: plot.valToPos(/** @type {number} */ (at[index]), 'x'), top: 10 })
  }
}

/**
 * Index of the number that is nearest, of rising ones.
 * @param {number[]} numbers
 * @param {number} wanted
 */
function nearest(numbers, wanted) {
  let [low, high] = [0, numbers.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (/** @type {number} */ (numbers[middle]) < wanted) low = middle + 1
    else high = middle
  }
  const [before, here] = [numbers[low - 1], numbers[low]]
  return before !== undefined && here !== undefined && wanted - before < here - wanted ? low - 1 : low
}
