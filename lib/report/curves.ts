import type { EpochEvent, History } from '../train/events'
import { lineChart, type Series } from './chart'
import type { StepPoint } from './stepLog'
import { html, type Markup, number, percent, table, time } from './text'

/** Points of a curve of steps: more than that are drawn as means. */
const POINTS = 400
/** Points of a curve of epochs: of more every second, third, … is drawn; and those that have a dot that tells its numbers. */
const [EPOCHS, DOTS] = [1000, 250] as const

/** Means over so many points in a row that few enough are left. */
function thinned(points: readonly StepPoint[]): StepPoint[] {
  const width = Math.ceil(points.length / POINTS)
  if (width <= 1) return [...points]
  return Array.from({ length: Math.ceil(points.length / width) }, (_, k) => {
    const part = points.slice(k * width, (k + 1) * width)
    const mean = (of: (point: StepPoint) => number) => part.reduce((sum, point) => sum + of(point), 0) / part.length
    return {
      at: part.at(-1)!.at,
      loss: mean(({ loss }) => loss),
      learningRate: mean(({ learningRate }) => learningRate),
      imagesPerSecond: mean(({ imagesPerSecond }) => imagesPerSecond),
      gradientNorm: mean(({ gradientNorm }) => gradientNorm),
    }
  })
}

/** The first one, the last one, and as many between them as are drawn. */
function fewer<T>(points: readonly T[]): readonly T[] {
  const width = Math.ceil(points.length / EPOCHS)
  return points.filter((_, k) => k === 0 || (points.length - 1 - k) % width === 0)
}

/** Metrics that are shares of all. */
const isShare = (name: string) => /(^|\/)(accuracy|binaryAccuracy|top\d+|precision|recall|f1)(\/|$)/.test(name)

type Numbers = (epoch: EpochEvent) => number | undefined

/** What is measured beside the loss, by name, as training or validation has it. */
function metricNames(epochs: readonly EpochEvent[]): string[] {
  const names = epochs.flatMap(({ metrics, validation }) => [
    ...Object.keys(metrics),
    ...Object.entries(validation ?? {}).flatMap(([name, value]) => (typeof value === 'number' && name !== 'loss' ? [name] : [])),
  ])
  return [...new Set(names)]
}

/** Curves of a training, and its numbers as a table. */
export function curves({ epochs, stopped }: History, steps: readonly StepPoint[]): Markup {
  const few = thinned(steps)
  const byEpoch = (name: string, colour: Series['colour'], of: Numbers): Series[] => {
    const points = epochs.flatMap((epoch): [number, number][] => {
      const value = of(epoch)
      return value === undefined ? [] : [[epoch.epoch, value]]
    })
    return points.length > 0 ? [{ name, colour, points: fewer(points), dots: points.length <= DOTS }] : []
  }
  const byStep = (name: string, of: (point: StepPoint) => number): Series[] =>
    few.length > 1 ? [{ name, colour: 3, points: few.map((point) => [point.at, of(point)]), thin: true }] : []
  const rates = byStep('learning rate', ({ learningRate }) => learningRate).map((rate) => ({ ...rate, thin: false }))
  const charts = [
    {
      title: 'Loss',
      series: [
        ...byStep('steps', ({ loss }) => loss),
        ...byEpoch('training', 1, ({ loss }) => loss),
        ...byEpoch('validation', 2, ({ validation }) => validation?.loss),
      ],
    },
    ...metricNames(epochs).map((name) => ({
      title: name[0]!.toUpperCase() + name.slice(1),
      series: [
        ...byEpoch('training', 1, ({ metrics }) => metrics[name]),
        ...byEpoch('validation', 2, ({ validation }) => validation?.[name]),
      ],
      ...(isShare(name) && { format: percent }),
    })),
    { title: 'Learning rate', series: rates.length > 0 ? rates : byEpoch('learning rate', 3, ({ learningRate }) => learningRate) },
    {
      title: 'Images per second',
      series: [
        ...byStep('so far in the epoch', ({ imagesPerSecond }) => imagesPerSecond),
        ...byEpoch('epoch', 1, ({ imagesPerSecond }) => imagesPerSecond),
      ],
    },
    { title: 'Length of the gradient', series: byStep('gradient', ({ gradientNorm }) => gradientNorm) },
  ].filter(({ series }) => series.length > 0)
  const why = { aborted: 'It was stopped by a signal.', earlyStopping: 'It was ended by early stopping.' }
  return html`${stopped && html`<p class="note">${why[stopped]}</p>`}
<div class="charts">${charts.map((chart) => lineChart({ ...chart, xLabel: 'epoch' }))}</div>
${epochs.length > 0 && html`<details><summary>Numbers of the epochs</summary>${epochTable(epochs)}</details>`}`
}

/** Rows of the table: of longer trainings the last ones. */
const ROWS = 500

function epochTable(epochs: readonly EpochEvent[]): Markup {
  const names = metricNames(epochs)
  const hasValidation = epochs.some(({ validation }) => validation)
  const shown = epochs.slice(-ROWS)
  const metric = (name: string, value: unknown) => (typeof value !== 'number' ? '' : isShare(name) ? percent(value) : number(value))
  const heads = [
    'epoch',
    '#loss',
    ...names.map((name) => `#${name}`),
    ...(hasValidation ? ['#validation loss', ...names.map((name) => `#validation ${name}`)] : []),
    '#learning rate',
    '#time',
    '#images/s',
  ]
  const rows = shown.map(({ epoch, loss, metrics, validation, learningRate, seconds, imagesPerSecond }) => [
    epoch,
    number(loss),
    ...names.map((name) => metric(name, metrics[name])),
    ...(hasValidation ? [metric('loss', validation?.loss), ...names.map((name) => metric(name, validation?.[name]))] : []),
    number(learningRate),
    time(seconds),
    number(Math.round(imagesPerSecond)),
  ])
  const note = epochs.length > ROWS && html`<p class="note">The last ${ROWS} of ${number(epochs.length)} epochs.</p>`
  return html`${note}${table('Epochs', heads, rows)}`
}
