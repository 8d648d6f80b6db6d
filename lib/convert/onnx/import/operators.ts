import { activations } from './activations'
import { arithmetic } from './arithmetic'
import type { Operator } from './call'
import { wholes } from './constant'
import { products } from './dense'
import { folders } from './fold'
import { norms } from './norms'
import { recurrences } from './recurrent'
import { reductions } from './reductions'
import { resizing } from './resize'
import { shapes } from './shapes'
import { windows } from './windows'

/** The forms that a Constant has. */
const constant: Operator = ({ attributes, fail }) => {
  const tensor = attributes.tensor('value')
  if (tensor) return tensor
  const [floats, ints] = [attributes.floats('value_floats'), attributes.ints('value_ints', true)]
  if (floats) return { shape: [floats.length], data: Float32Array.from(floats) }
  if (ints) return wholes(ints)
  if (attributes.has('value_float')) return { shape: [], data: Float32Array.of(attributes.float('value_float', 0)) }
  if (attributes.has('value_int')) return wholes([attributes.int('value_int', 0)], [])
  throw fail.unsupported('holds neither numbers nor a tensor of them')
}

/** Every operator that is read, by its name. */
export const operators: Readonly<Record<string, Operator>> = {
  ...folders,
  ...windows,
  ...products,
  ...norms,
  ...activations,
  ...arithmetic,
  ...reductions,
  ...resizing,
  ...recurrences,
  ...shapes,
  Constant: constant,
}
