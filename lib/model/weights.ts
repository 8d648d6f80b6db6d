import { invalid } from '../check'
import { ConvlaneError } from '../errors'
import { sameShape, shapeText } from '../shape'
import { checkTensor } from '../tensor'
import type { Architecture } from './architecture'

/** Checks weights against a model. Throws INVALID_ARGUMENT, INVALID_SHAPE, INVALID_TENSOR, INVALID_DTYPE. */
export function checkWeights({ layers }: Architecture, weights: unknown, label = 'setWeights'): Map<string, Float32Array> {
  if (typeof weights !== 'object' || weights === null) throw invalid(label, 'weights', 'an object of tensors', weights)
  const shapes = new Map(layers.flatMap(({ parameters }) => parameters.map(({ name, shape }) => [name, shape] as const)))
  return new Map(
    Object.entries(weights).map(([name, tensor]) => {
      const expected = shapes.get(name)
      if (!expected) {
        const names = [...shapes.keys()]
        throw new ConvlaneError(
          'INVALID_ARGUMENT',
          `${label}: the model has no weight "${name}"; there are ${names.slice(0, 12).join(', ')}`,
          {
            expected: names,
            received: name,
          },
        )
      }
      checkTensor(tensor, label, `"${name}"`)
      if (!sameShape(tensor.shape, expected)) {
        const message = `${label}: "${name}" must have shape ${shapeText(expected)}, received ${shapeText(tensor.shape)}`
        throw new ConvlaneError('INVALID_SHAPE', message, { expected, received: tensor.shape })
      }
      return [name, tensor.data]
    }),
  )
}
