import { encodePng } from '../io/png'
import { averageOf, type ClassResult } from '../train/classification'
import { scatter } from './chart'
import { diverging } from './colours'
import type { ClassOutcome, NumberOutcome } from './outcome'
import { html, type Markup, number, percent, table } from './text'

/** Most classes whose confusion matrix is a table; and a picture. */
const [TABLE, PICTURE] = [30, 1000] as const
/** Most classes, and most confusions, that have a row. */
const [CLASSES, PAIRS] = [100, 20] as const

/** Names of classes by number. */
type NameOf = (k: number) => string

/** Share of the samples that are told right. */
export const accuracyOf = ({ samples, mistakes }: ClassOutcome): number => (samples === 0 ? Number.NaN : (samples - mistakes) / samples)

/** Precision and recall of each class, and what is taken for what. */
export async function classResults(outcome: ClassOutcome, nameOf: NameOf): Promise<Markup> {
  const { samples, ignored, mistakes, kind } = outcome
  const right = kind === 'labels' ? 'have all their labels right and no others' : 'are told right'
  return html`<p>Of ${number(samples)} samples ${number(samples - mistakes)} ${right}: <strong>${percent(accuracyOf(outcome))}</strong>${ignored > 0 && `; ${number(ignored)} with the ignored label are left out`}.</p>
<div class="beside"><div><h3>By class</h3>
${classTable(outcome.classes, nameOf)}</div>
${
  kind === 'classes' &&
  html`<div><h3>What is taken for what</h3>
${await confusionMatrix(outcome, nameOf)}</div>
${pairTable(outcome, nameOf)}`
}</div>`
}

function classTable(classes: readonly ClassResult[], nameOf: NameOf): Markup {
  const row = (name: string, { precision, recall, f1 }: Omit<ClassResult, 'support'>, support: string) => [
    name,
    percent(precision),
    percent(recall),
    percent(f1),
    support,
  ]
  const ranked = classes.map((result, k) => ({ result, k }))
  const shown = classes.length <= CLASSES ? ranked : ranked.sort((a, b) => a.result.f1 - b.result.f1 || a.k - b.k).slice(0, CLASSES)
  const rows = [
    ...shown.map(({ result, k }) => row(nameOf(k), result, number(result.support))),
    ...(['macro', 'weighted'] as const).map((average) => row(`${average} mean`, averageOf(classes, average), '')),
  ]
  const note =
    shown.length < classes.length && html`<p class="note">The ${CLASSES} of ${number(classes.length)} classes that are told worst.</p>`
  return html`${note}${table('Classes', ['class', '#precision', '#recall', '#F1', '#samples'], rows)}`
}

/** Counts by class and what it was taken for. */
function matrixOf({ classes, hits, confusions }: ClassOutcome): Float64Array {
  const matrix = new Float64Array(classes.length ** 2)
  hits.forEach((count, k) => {
    matrix[k * classes.length + k] = count
  })
  for (const { label, said, count } of confusions) matrix[label * classes.length + said] = count
  return matrix
}

async function confusionMatrix(outcome: ClassOutcome, nameOf: NameOf): Promise<Markup> {
  const { classes } = outcome
  const count = classes.length
  if (count > PICTURE) return html`<p class="note">A matrix of ${number(count)} classes is not drawn.</p>`
  const matrix = matrixOf(outcome)
  const shareOf = (row: number, column: number) => matrix[row * count + column]! / (classes[row]!.support || 1)
  if (count > TABLE) {
    const colour = diverging(1)
    const data = new Uint8Array(count * count * 3)
    // The square root makes few mistakes visible.
    for (let row = 0; row < count; row++)
      for (let column = 0; column < count; column++)
        data.set(colour(Math.sqrt(shareOf(row, column)) * (row === column ? -1 : 1)), (row * count + column) * 3)
    const bytes = await encodePng({ shape: [count, count, 3], data })
    const side = count * Math.max(1, Math.floor(640 / count))
    return html`<p class="note">A row for each class, a column for what it is taken for, in the order of the class numbers: blue what is told right, orange mistakes.</p>
<img class="px" src="data:image/png;base64,${Buffer.from(bytes).toString('base64')}" width="${side}" height="${side}" alt="Confusion matrix of ${count} classes">`
  }
  const numbers = classes.map((_, k) => k)
  // Longer names stand upright, so that the columns are as narrow as the numbers.
  const isTall = numbers.some((k) => nameOf(k).length > 4)
  const cell = (row: number, column: number) => {
    const value = matrix[row * count + column]!
    const level = value === 0 ? 0 : Math.max(1, Math.ceil(10 * shareOf(row, column)))
    return html`<td${level > 0 && html` class="${row === column ? 't' : 'f'}${level}"`}>${value === 0 ? '·' : number(value)}</td>`
  }
  return html`<p class="note">A row for each class, a column for what it is taken for.</p>
<div class="scroll" role="region" aria-label="Confusion matrix" tabindex="0"><table class="${isTall ? 'matrix tall' : 'matrix'}"><thead><tr><th scope="col">is</th>${numbers.map((k) => html`<th scope="col" title="${nameOf(k)}">${nameOf(k)}</th>`)}</tr></thead>
<tbody>${numbers.map((row) => html`<tr><th scope="row">${nameOf(row)}</th>${numbers.map((column) => cell(row, column))}</tr>`)}</tbody></table></div>`
}

function pairTable({ confusions, classes, mistakes }: ClassOutcome, nameOf: NameOf): Markup | undefined {
  if (mistakes === 0) return undefined
  const rows = confusions
    .slice(0, PAIRS)
    .map(({ label, said, count }) => [nameOf(label), nameOf(said), number(count), percent(count / classes[label]!.support)])
  return html`<div><h3>The most frequent mistakes</h3>
${table('The most frequent mistakes', ['class', 'taken for', '#samples', '#of the class'], rows)}</div>`
}

/** How far from the targets. */
export function numberResults({ samples, all, errors, pairs }: NumberOutcome): Markup {
  const shown = errors.slice(0, CLASSES)
  const rows = [
    ...(errors.length > 1 ? [[`all ${number(errors.length)}`, number(all.rmse), number(all.mae), '']] : []),
    ...shown.map(({ rmse, mae, r2 }, k) => [k, number(rmse), number(mae), number(r2)]),
  ]
  return html`<p>${number(samples)} samples.</p>
${table('Errors', ['number', '#root mean square error', '#mean absolute error', '#R²'], rows)}
${shown.length < errors.length && html`<p class="note">The first ${CLASSES} of ${number(errors.length)} numbers.</p>`}
<div class="charts">${scatter(`The first number of ${number(pairs.length)} samples: what is said, by its target`, pairs)}</div>`
}
