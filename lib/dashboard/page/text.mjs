/** @param {string} id */
export const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id))

/**
 * An element with its content.
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} content
 */
export function make(tag, attributes = {}, ...content) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...content)
  return made
}

/**
 * A number with four digits that matter.
 * @param {number | null | undefined} value
 */
export function numberText(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2)
  return value.toLocaleString('en', { maximumSignificantDigits: size >= 1000 ? 6 : 4 })
}

/** Names of what is a share of all samples, and shown in percent. */
const shares = /accuracy|precision|recall|f1|top/i

/**
 * @param {string} name
 * @param {number | null | undefined} value
 */
export function valueText(name, value) {
  // Rounded down: only all is 100 %.
  if (shares.test(name) && typeof value === 'number' && value >= 0 && value <= 1)
    return `${(Math.floor(value * 1e4 + 1e-9) / 100).toFixed(2)} %`
  return numberText(value)
}

/**
 * A value at an axis.
 * @param {string} name
 * @param {number} value
 */
export const tickText = (name, value) => (shares.test(name) ? `${numberText(value * 100)} %` : numberText(value))

/** @param {number} seconds */
export function durationText(seconds) {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const tail = `${String(minutes).padStart(hours > 0 ? 2 : 1, '0')}:${String(whole % 60).padStart(2, '0')}`
  return hours > 0 ? `${hours}:${tail}` : tail
}

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1)
