import { describeCases } from '../support/describeCases'

for (const axes of [1, 2, 3]) {
  describeCases(`lpPool${axes}d`)
  describeCases(`lpPool${axes}dBackward`)
}
