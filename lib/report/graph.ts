import type { Architecture } from '../model/architecture'
import type { Model } from '../model/model'
import type { Profile } from '../model/profile'
import { html, type Markup, number, sizes, time } from './text'

/** Lines beside a row of the table: where its dot is, and what leads there, past it and on. */
export interface LaneRow {
  readonly lane: number
  readonly path: string
}

/** Of a row, in pixels, and between lanes. */
const [HEIGHT, STEP] = [28, 13]
/** More lanes than that are not drawn. */
const WIDEST = 32

const across = (lane: number) => 8 + lane * STEP

/** Rows for the inputs, then the calls. A result keeps its lane from its row to the last one that reads it. */
export function lanesOf({ inputs, calls }: Pick<Architecture, 'inputs' | 'calls'>): {
  readonly rows: readonly LaneRow[]
  readonly lanes: number
} {
  const last = new Map<number, number>()
  calls.forEach((call, index) => {
    for (const place of call.inputs) last.set(place, inputs.length + index)
  })
  const lanes: (number | undefined)[] = []
  const middle = HEIGHT / 2
  const rows = Array.from({ length: inputs.length + calls.length }, (_, row) => {
    const sources = new Set(row < inputs.length ? [] : calls[row - inputs.length]!.inputs)
    const above = [...lanes]
    above.forEach((place, lane) => {
      if (place !== undefined && last.get(place) === row) lanes[lane] = undefined
    })
    const from = above.findIndex((place, lane) => place !== undefined && sources.has(place) && lanes[lane] === undefined)
    const free = lanes.indexOf(undefined)
    const own = from >= 0 ? from : free >= 0 ? free : lanes.length
    const x = across(own)
    let path = ''
    above.forEach((place, lane) => {
      if (place === undefined) return
      const a = across(lane)
      if (sources.has(place))
        path += lane === own ? `M${a} 0V${middle}` : `M${a} 0C${a} ${middle * 0.7} ${x} ${middle * 0.3} ${x} ${middle}`
      if (last.get(place) !== row) path += `M${a} 0V${HEIGHT}`
    })
    lanes[own] = undefined
    if (last.has(row)) {
      lanes[own] = row
      path += `M${x} ${middle}V${HEIGHT}`
    }
    return { lane: own, path }
  })
  return { rows, lanes: lanes.length }
}

/** Layers as a table, the graph beside it: shapes, parameters, multiply-adds, time. */
export function graphTable(model: Model<never, unknown>, profile: Profile | undefined): Markup {
  const { architecture } = model
  const { inputs, layers, parameters, multiplyAdds } = model.summary()
  const { rows, lanes } = lanesOf(architecture)
  const isDrawn = lanes <= WIDEST
  const width = across(lanes)
  const draw = (row: number) =>
    isDrawn &&
    html`<td class="lanes"><svg width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" aria-hidden="true"><path d="${rows[row]!.path}"/><circle cx="${across(rows[row]!.lane)}" cy="${HEIGHT / 2}" r="5"/></svg></td>`
  const times = new Map<string, number>()
  for (const { layer, seconds } of profile?.steps ?? []) times.set(layer ?? '', (times.get(layer ?? '') ?? 0) + seconds)
  const total = profile?.seconds ?? 0
  const timed = (name: string) => {
    const seconds = times.get(name)
    times.delete(name)
    return timeCells(seconds, total)
  }
  const name = (place: number) =>
    place < inputs.length ? inputs[place]!.name : architecture.layers[architecture.calls[place - inputs.length]!.layer]!.name
  const body = [
    ...inputs.map(
      ({ name: own, shape }, row) =>
        html`<tr>${draw(row)}<th scope="row">${own}</th><td>input</td><td>${sizes(shape)}</td><td></td><td class="n"></td><td class="n"></td>${profile && html`<td class="n"></td><td></td>`}</tr>`,
    ),
    ...layers.map((layer, index) => {
      const { inputs: sources } = architecture.calls[index]!
      const isNext = sources.length === 1 && sources[0] === inputs.length + index - 1
      const reads = isNext ? '' : sources.map(name).join(', ')
      const type = layer.activation && layer.activation !== 'linear' ? `${layer.type}, ${layer.activation}` : layer.type
      return html`<tr>${draw(inputs.length + index)}<th scope="row">${layer.name}</th><td>${type}</td><td>${sizes(layer.outputShape)}</td><td>${reads}</td><td class="n">${number(layer.parameters)}</td><td class="n">${number(layer.multiplyAdds)}</td>${profile && timed(layer.name)}</tr>`
    }),
  ]
  const rest = [...times.values()].reduce((sum, seconds) => sum + seconds, 0)
  const pad = isDrawn && html`<td></td>`
  return html`<div class="scroll" role="region" aria-label="Layers" tabindex="0"><table class="graph"><thead><tr>${isDrawn && html`<td></td>`}<th scope="col">layer</th><th scope="col">kind</th><th scope="col">output</th><th scope="col">reads</th><th scope="col" class="n">parameters</th><th scope="col" class="n">multiply-adds</th>${profile && html`<th scope="col" class="n">time</th><th scope="col">share</th>`}</tr></thead>
<tbody>${body}${rest > 0 && html`<tr>${pad}<th scope="row">loss, updates and the like</th><td></td><td></td><td></td><td class="n"></td><td class="n"></td>${timeCells(rest, total)}</tr>`}
<tr>${pad}<th scope="row">total</th><td></td><td></td><td></td><td class="n">${number(parameters)}</td><td class="n">${number(multiplyAdds)}</td>${profile && html`<td class="n">${time(total)}</td><td></td>`}</tr></tbody></table></div>`
}

function timeCells(seconds: number | undefined, total: number): Markup {
  if (seconds === undefined) return html`<td class="n">–</td><td></td>`
  const share = seconds / total
  return html`<td class="n">${time(seconds)}</td><td>${(100 * share).toFixed(1)} %<svg class="share" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="${Math.round(100 * share)}" height="10"/></svg></td>`
}
