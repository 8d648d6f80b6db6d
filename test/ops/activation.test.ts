import { activationNames } from '../support/activations'
import { describeCases } from '../support/describeCases'

for (const op of activationNames) {
  describeCases(op)
  describeCases(`${op}Backward`)
}
