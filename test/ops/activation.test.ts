import { describeCases } from '../support/describeCases'

for (const op of ['relu', 'sigmoid', 'tanh']) {
  describeCases(op)
  describeCases(`${op}Backward`)
}
