import { checkOptions } from '../check'
import { ConvlaneError } from '../errors'
import type { ModelOptions } from '../model/model'
import { checkInteger, valueText } from '../shape'

/** Sizes of one image. */
export type ImageShape = readonly [height: number, width: number, channels: number]

/** What every network of the zoo is made with. */
export interface ZooOptions extends ModelOptions {
  /** Height, width and channels of one image. */
  readonly input: ImageShape
  /** How many logits it gives: one for each class. */
  readonly classes: number
}

/**
 * Checks the options that all networks share, and that there are no others but `more`.
 * @param least height and width below which the network has nothing left to look at
 * @throws INVALID_ARGUMENT, INVALID_SHAPE, beginning with the network's name
 */
export function checkZooOptions(label: string, options: ZooOptions, least: number, more: readonly string[] = []): void {
  checkOptions(label, options, ['input', 'classes', 'seed', 'runtime', ...more])
  const { input, classes } = options
  checkInteger(classes, label, 'classes')
  if (!Array.isArray(input) || input.length !== 3 || !input.every((size) => Number.isInteger(size) && size >= 1)) {
    const expected = 'three positive integers [H, W, C]'
    const message = `${label}: input must be ${expected}, the sizes of one image, received ${valueText(input)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected, received: input })
  }
  const [height, width] = input as ImageShape
  if (Math.min(height, width) >= least) return
  const message = `${label}: takes images of at least ${least} x ${least} pixels, received ${height} x ${width}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: [least, least], received: [height, width] })
}
