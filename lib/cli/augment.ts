import * as t from '../augment/transformations'
import { ConvlaneError } from '../errors'
import { type Command, usage } from './arguments'

/** What `--augment` may hold; those of one affine map become one transformation, in the place of the first. */
const affineNames = ['shift', 'rotate', 'scale', 'stretch', 'shear'] as const
type AffineName = (typeof affineNames)[number]

const others: Readonly<Record<string, (value: number) => t.Transformation>> = {
  crop: (padding) => t.crop({ padding }),
  brightness: (factor) => t.brightness(factor),
  contrast: (factor) => t.contrast(factor),
  saturation: (factor) => t.saturation(factor),
  cutout: (size) => t.cutout({ size }),
  mixup: (alpha) => t.mixup({ alpha }),
}
const switches: Readonly<Record<string, () => t.Transformation>> = {
  flip: () => t.flip(),
  flipVertical: () => t.flip({ horizontal: false, vertical: true }),
}

const names = [...affineNames, ...Object.keys(switches), ...Object.keys(others)]

/** `shift=2,rotate=10,flip` → transformations, in that order, mixup last. Throws {@link UsageError}. */
export function parseAugment(command: Command, text: unknown): t.Transformation[] {
  if (text === undefined) return []
  const given = String(text)
    .split(',')
    .map((part) => {
      const [name, value, ...rest] = part.trim().split('=')
      const isSwitch = Object.hasOwn(switches, name!)
      if (!names.includes(name!)) throw usage(command, `--augment: there is no "${name}", there are ${names.join(', ')}`)
      const number = isSwitch ? 0 : value === undefined || value.trim() === '' ? Number.NaN : Number(value)
      if (rest.length > 0 || Number.isNaN(number) || (isSwitch && value !== undefined)) {
        throw usage(command, `--augment: "${part.trim()}" must be ${isSwitch ? name : `${name}=NUMBER`}`)
      }
      return { name: name!, number }
    })
  const twice = given.find(({ name }, index) => given.findIndex((other) => other.name === name) !== index)
  if (twice) throw usage(command, `--augment: ${twice.name} is given twice`)
  try {
    const together = given.filter(({ name }) => affineNames.includes(name as AffineName))
    const list = given.flatMap(({ name, number }) => {
      if (!affineNames.includes(name as AffineName)) return [switches[name]?.() ?? others[name]!(number)]
      if (name !== together[0]!.name) return []
      if (name === 'shift' && together.length === 1) return [t.shift(number)]
      const { rotate: degrees, ...rest } = Object.fromEntries(together.map((one) => [one.name, one.number]))
      return [t.affine({ ...rest, ...(degrees !== undefined && { degrees }) })]
    })
    return [...list.filter(({ kind }) => kind !== 'mixup'), ...list.filter(({ kind }) => kind === 'mixup')]
  } catch (error) {
    if (error instanceof ConvlaneError) throw usage(command, `--augment: ${error.message}`)
    throw error
  }
}

/** What the option is for, for the help. */
export const augmentOption = {
  value: 'LIST',
  about: `changes images at random before each step, as shift=2,rotate=10,scale=0.1,flip: shift and crop by pixels,
rotate by degrees; scale, stretch (width against height), shear, brightness, contrast and saturation
by shares; flip and flipVertical by half a chance; cutout of a square; mixup of samples by its alpha`,
} as const
