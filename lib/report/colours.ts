/** A colour of 8 bits for each of red, green and blue. */
export type Colour = readonly [red: number, green: number, blue: number]

/** What is not a number: seen at once among greys, blues and oranges. */
export const NOT_A_NUMBER: Colour = [255, 0, 255]

/** Far below 0, 0, far above it: told apart by those who see red and green alike, too. */
const signed: readonly [Colour, Colour, Colour] = [
  [33, 87, 155],
  [247, 247, 245],
  [192, 86, 20],
]

/** How a number becomes a colour. */
export type Colouring = (value: number) => Colour

/** 0 is black, `high` and more is white. */
export const grey =
  (high: number): Colouring =>
  (value) => {
    if (Number.isNaN(value)) return NOT_A_NUMBER
    const level = high > 0 ? Math.round(255 * Math.min(1, Math.max(0, value / high))) : 0
    return [level, level, level]
  }

/** 0 is nearly white, `-most` and less blue, `most` and more orange. */
export const diverging =
  (most: number): Colouring =>
  (value) => {
    if (Number.isNaN(value)) return NOT_A_NUMBER
    const share = most > 0 ? Math.min(1, Math.abs(value) / most) : 0
    const [end, middle] = [value < 0 ? signed[0] : signed[2], signed[1]]
    return [0, 1, 2].map((k) => Math.round(middle[k]! + share * (end[k]! - middle[k]!))) as unknown as Colour
  }

/** Greatest distance from 0, as far as numbers are finite; and whether one is below 0. */
export function extentOf(values: Float32Array): { readonly most: number; readonly isSigned: boolean } {
  let [most, isSigned] = [0, false]
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    if (value < 0) isSigned = true
    const size = Math.abs(value)
    if (size > most) most = size
  }
  return { most, isSigned }
}
