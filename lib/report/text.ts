/** Marks that turn the direction of what stands behind them, beyond the name that holds them. */
const turns = /[\u202a-\u202e\u2066-\u2069]/g

/** Text that may stand anywhere in HTML, attributes with quotation marks included. */
export function escapeHtml(text: unknown): string {
  return String(text)
    .replace(turns, '\ufffd')
    .replace(/[&<>"'`]/g, (letter) => `&#${letter.charCodeAt(0)};`)
}

/** Markup that is safe to join with other markup. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What goes into markup: `undefined` and `false` are nothing. */
export type Part = Markup | string | number | undefined | false | readonly Part[]

const markupOf = (part: Part): string => {
  if (part instanceof Markup) return part.text
  if (Array.isArray(part)) return part.map(markupOf).join('')
  return part === undefined || part === false ? '' : escapeHtml(part)
}

/** Markup with everything escaped that is put into it, unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((text, index) => (index < parts.length ? text + markupOf(parts[index]!) : text)).join(''))
}

/** A number for people: four digits that matter, thousands apart. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e15) return value.toLocaleString('en')
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2)
  return value.toLocaleString('en', { maximumSignificantDigits: size >= 1000 ? 6 : 4 })
}

/** `0.98765` → `98.76 %`, rounded down, so that only all is 100. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${(Math.floor(share * 10_000 + 1e-9) / 100).toFixed(2)} %` : String(share)
}

/** `0.00123` → `1.23 ms`. */
export function time(seconds: number): string {
  if (!Number.isFinite(seconds)) return String(seconds)
  if (seconds < 1e-3) return `${(seconds * 1e6).toFixed(1)} µs`
  if (seconds < 1) return `${(seconds * 1e3).toFixed(2)} ms`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`
}

/** `[null, 28, 28, 1]` → `28 × 28 × 1`, of one sample. */
export function sizes(shape: readonly (number | null)[]): string {
  return shape.length > 1 ? shape.slice(1).join(' × ') : 'one number'
}

/** A table that scrolls by itself where it is wider than the page, by keyboard, too. `heads` of columns of numbers begin with `#`. */
export function table(label: string, heads: readonly string[], rows: readonly (readonly Part[])[]): Markup {
  const isNumber = heads.map((head) => head.startsWith('#'))
  const cell = (part: Part, column: number) =>
    column === 0 ? html`<th scope="row">${part}</th>` : html`<td${isNumber[column] && html` class="n"`}>${part}</td>`
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table><thead><tr>${heads.map(
    (head, column) => html`<th scope="col"${isNumber[column] && html` class="n"`}>${head.replace(/^#/, '')}</th>`,
  )}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody></table></div>`
}
