import { inspect } from 'node:util'
import { weightsSha256 } from '../io/weights-hash'
import { isa, threads } from '../machine'
import type { Model } from '../model/model'
import type { Tensor } from '../tensor'
import { version } from '../version'
import { html, type Markup, type Part } from './text'

/** What a caller tells of a run. */
export type Run = Readonly<Record<string, unknown>>

/** Texts as they are, others as JSON; what JSON cannot hold, as `console.log` has it. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value) ?? inspect(value)
  } catch {
    return inspect(value)
  }
}

/** What is needed to repeat a run. */
export function facts(model: Model<never, unknown>, weights: Readonly<Record<string, Tensor>>, run: Run, runtime: string): Markup {
  const { history: _, compile, seed, ...rest } = model.document
  const native = runtime === 'native' ? `${isa()}, threads: ${threads()} (of no effect on results)` : 'none: the reference runtime'
  const rows: [string, Part][] = [
    ...Object.entries(run).map(([name, value]): [string, Part] => [name, textOf(value)]),
    ['seed of the model', seed],
    [
      'compiled with',
      compile
        ? html`<code>${JSON.stringify(compile)}</code> <span class="soft">(a schedule as its last rate)</span>`
        : 'nothing that a file could keep',
    ],
    ['instruction set', native],
    ['convlane', version()],
    ['JavaScript', `${process.release?.name ?? 'node'} ${process.version}, ${process.platform}-${process.arch}`],
    ['SHA-256 of the weights', html`<code>${weightsSha256(weights)}</code>`],
  ]
  return html`<dl class="facts">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
<details class="raw"><summary>The model's description, as its file has it</summary><pre tabindex="0">${JSON.stringify(rest, null, 1)}</pre></details>`
}
