import { Chart } from './chart.mjs'
import { MapsView } from './maps.mjs'
import { durationText, element, make, numberText, valueText } from './text.mjs'

/** @typedef {import('./chart.mjs').Line} Line */
/** @typedef {import('./chart.mjs').Column} Column */
/** @typedef {{ epoch: number, at: number, seconds: number, learningRate: number | null, imagesPerSecond: number | null, train: Record<string, number | null>, validation?: Record<string, number | null> }} Epoch */
/** @typedef {{ epoch: number, step: number, steps: number, at: number, start: number, elapsed: number, loss: number, learningRate: number, gradientNorm: number, imagesPerSecond: number }} Now */
/** @typedef {{ id: string, title: string, epochs?: number }} Run */
/** @typedef {{ run?: Run, now?: Now, stride?: number, from: number, at: number[], columns: Record<string, Column>, epochsFrom: number, epochs: Epoch[] }} Told */

/** Rows of the table. */
const ROWS = 200

/** What the run has told so far. */
const state = {
  /** @type {Run} */
  run: { id: '', title: 'convlane' },
  /** @type {Now | undefined} */
  now: undefined,
  stride: 1,
  /** @type {number[]} */
  at: [],
  /** @type {Record<string, Column>} */
  columns: {},
  /** @type {Epoch[]} */
  epochs: [],
  isOver: false,
}

/** @type {Map<string, Chart>} */
const charts = new Map()
const views = new MapsView(() => connect())
const log = /** @type {HTMLInputElement} */ (element('log'))

/** @type {EventSource | undefined} */
let source
/** @type {number | undefined} */
let retry
let isDue = false

/**
 * @param {string} kind
 * @param {string} text
 */
function tellStatus(kind, text) {
  const status = element('status')
  if (status.textContent === text) return
  status.dataset.kind = kind
  status.textContent = text
}

/** @param {Told} told */
function take(told) {
  if (told.run) {
    if (told.run.id !== state.run.id) {
      for (const chart of charts.values()) chart.zoom = undefined
      state.now = undefined
    }
    Object.assign(state, { run: told.run, stride: told.stride, columns: {}, isOver: false })
  }
  state.now = told.now ?? state.now
  state.at.splice(told.from, Number.POSITIVE_INFINITY, ...told.at)
  for (const [name, values] of Object.entries(told.columns)) {
    state.columns[name] ??= []
    state.columns[name].splice(told.from, Number.POSITIVE_INFINITY, ...values)
  }
  state.epochs.splice(told.epochsFrom, Number.POSITIVE_INFINITY, ...told.epochs)
  tellStatus('live', 'live')
  due()
}

/** Draws with the next frame, however much comes before it. */
function due() {
  if (isDue) return
  isDue = true
  requestAnimationFrame(() => {
    isDue = false
    draw()
  })
}

function draw() {
  const { run, now, epochs } = state
  element('title').textContent = run.title
  document.title = now ? `${numberText(now.loss)} · ${run.title}` : run.title
  drawWay()
  drawTiles()
  const inSteps = Object.keys(state.columns).flatMap((name) => (name.startsWith('metrics.') ? [name.slice(8)] : []))
  const inEpochs = epochs.flatMap(({ train, validation }) => [...Object.keys(train), ...Object.keys(validation ?? {})])
  const metrics = [...new Set([...inSteps, ...inEpochs])].filter((name) => name !== 'loss')
  show('loss', measured('loss', 'loss', 'batches'), log.checked)
  for (const name of metrics) show(name, measured(`metrics.${name}`, name, 'epoch so far'))
  show('learning rate', [byStep('learningRate', 'of each step', 'only')])
  show('gradient norm', [byStep('gradientNorm', 'of each step', 'only')])
  show('images per second', [
    byStep('imagesPerSecond', 'epoch so far'),
    byEpoch('epochs', 'train', ({ imagesPerSecond }) => imagesPerSecond),
  ])
  const here = new Set(['loss', ...metrics, 'learning rate', 'gradient norm', 'images per second'])
  for (const [name, chart] of charts) {
    if (here.has(name)) continue
    chart.figure.remove()
    charts.delete(name)
  }
  drawTable(metrics)
}

/**
 * Lines of what is measured in steps, over epochs, and on validation data.
 * @param {string} column
 * @param {string} name
 * @param {string} label
 */
function measured(column, name, label) {
  const lines = [byStep(column, label), byEpoch('epochs', 'train', ({ train }) => train[name])]
  return [...lines, byEpoch('validation', 'validation', ({ validation }) => validation?.[name])].filter(({ at }) => at.length > 0)
}

/**
 * @param {string} column
 * @param {string} label
 * @param {'step' | 'only'} kind
 * @returns {Line}
 */
function byStep(column, label, kind = 'step') {
  const means = state.stride > 1 ? `, means of ${state.stride}` : ''
  return { label: label + means, kind, at: state.columns[column] ? state.at : [], values: state.columns[column] ?? [] }
}

/**
 * @param {string} label
 * @param {'train' | 'validation'} kind
 * @param {(epoch: Epoch) => number | null | undefined} value
 * @returns {Line}
 */
function byEpoch(label, kind, value) {
  const points = state.epochs.flatMap((epoch) => {
    const found = value(epoch)
    return found === undefined ? [] : [{ at: epoch.at, value: found }]
  })
  return { label, kind, at: points.map(({ at }) => at), values: points.map((point) => point.value) }
}

/**
 * @param {string} name
 * @param {Line[]} lines
 */
function show(name, lines, isLog = false) {
  let chart = charts.get(name)
  if (!chart) {
    if (lines.every(({ at }) => at.length === 0)) return
    chart = new Chart(name)
    charts.set(name, chart)
    element('charts').append(chart.figure)
  }
  chart.show(lines, isLog)
}

function drawWay() {
  const { now, run, epochs } = state
  if (!now) {
    element('way').textContent = 'waiting for the first step'
    return
  }
  const isEpochDone = epochs.at(-1)?.epoch === now.epoch
  const share = isEpochDone ? 1 : now.steps > 0 ? now.step / now.steps : 0
  const done = now.epoch - 1 + share
  const bar = /** @type {HTMLProgressElement} */ (element('progress'))
  bar.max = run.epochs ?? Math.ceil(done) ?? 1
  bar.value = done
  const epoch = `epoch ${now.epoch}${run.epochs ? ` of ${run.epochs}` : ''}`
  const step = `step ${now.step.toLocaleString('en')}${now.steps > 0 ? ` of ${now.steps.toLocaleString('en')}` : ''}`
  const all = (run.epochs ?? 0) * now.steps
  const left =
    all > 0 && now.at > now.start && !state.isOver ? `, ${durationText((now.elapsed * (all - now.at)) / (now.at - now.start))} left` : ''
  element('way').textContent = `${epoch}, ${step}; ${durationText(now.elapsed)} so far${left}`
}

function drawTiles() {
  const { now, epochs, columns } = state
  if (!now) return element('tiles').replaceChildren()
  const last = epochs.at(-1)
  const metrics = Object.entries(columns).flatMap(([name, values]) => (name.startsWith('metrics.') ? [[name.slice(8), values.at(-1)]] : []))
  /** @type {[string, string, unknown][]} */
  const tiles = [
    ['loss', valueText('loss', now.loss), now.loss],
    ...metrics.map(
      ([name, value]) => /** @type {[string, string, unknown]} */ ([name, valueText(String(name), /** @type {number} */ (value)), value]),
    ),
    ...Object.entries(last?.validation ?? {}).map(
      ([name, value]) => /** @type {[string, string, unknown]} */ ([`validation ${name}`, valueText(name, value), value]),
    ),
    ['learning rate', numberText(now.learningRate), now.learningRate],
    ['images per second', numberText(now.imagesPerSecond && Math.round(now.imagesPerSecond)), now.imagesPerSecond],
  ]
  element('tiles').replaceChildren(
    ...tiles.map(([name, text, value]) =>
      make('div', { 'data-tile': name, 'data-value': String(value) }, make('dt', {}, name), make('dd', {}, text)),
    ),
  )
}

/** @param {string[]} metrics */
function drawTable(metrics) {
  if (!(/** @type {HTMLDetailsElement} */ (element('numbers')).open)) return
  const names = ['loss', ...metrics]
  const isMeasured = state.epochs.some(({ validation }) => validation)
  const heads = ['epoch', ...names, ...(isMeasured ? names.map((name) => `validation ${name}`) : []), 'learning rate', 'images/s', 'time']
  const head = make('thead', {}, make('tr', {}, ...heads.map((name) => make('th', { scope: 'col' }, name))))
  const rows = state.epochs.slice(-ROWS).map(({ epoch, train, validation, learningRate, imagesPerSecond, seconds }) => {
    const values = [
      ...names.map((name) => valueText(name, train[name])),
      ...(isMeasured ? names.map((name) => valueText(name, validation?.[name])) : []),
    ]
    const cells = [...values, numberText(learningRate), numberText(imagesPerSecond && Math.round(imagesPerSecond)), durationText(seconds)]
    return make('tr', {}, make('th', { scope: 'row' }, String(epoch)), ...cells.map((text) => make('td', {}, text)))
  })
  element('table').replaceChildren(head, make('tbody', {}, ...rows))
}

const endings = { done: 'done', aborted: 'stopped', earlyStopping: 'done: stopped early' }

function connect() {
  clearTimeout(retry)
  source?.close()
  const stream = new EventSource(`/events?image=${views.image}`)
  source = stream
  /**
   * @param {string} name
   * @param {(data: any) => void} taker
   */
  const on = (name, taker) => stream.addEventListener(name, (event) => taker(JSON.parse(/** @type {MessageEvent} */ (event).data)))
  on('state', take)
  on('update', take)
  on('inputs', (sources) => views.inputs(sources))
  on('maps', (maps) => views.maps(maps))
  on('end', (end) => {
    stream.close()
    state.isOver = true
    tellStatus(
      end.why === 'failed' ? 'failed' : 'done',
      end.why === 'failed' ? `failed: ${end.message}` : endings[/** @type {keyof typeof endings} */ (end.why)],
    )
    due()
  })
  stream.addEventListener('error', () => {
    stream.close()
    if (state.isOver) return
    tellStatus('waiting', 'not connected: the process has ended, or the network is interrupted')
    retry = setTimeout(connect, 2000)
  })
}

// Nobody looks at a page that is hidden: nothing is drawn for it. One that is looked at again may find another run.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) return connect()
  clearTimeout(retry)
  source?.close()
})
log.addEventListener('change', draw)
element('numbers').addEventListener('toggle', draw)
// It scrolls: by keys, too.
element('scroll').tabIndex = 0
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of charts.values()) chart.redraw()
})
connect()
