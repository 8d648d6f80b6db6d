import { describeCases } from '../support/describeCases'

for (const axes of [1, 3]) {
  describeCases(`maxPool${axes}d`)
  describeCases(`maxPool${axes}dBackward`)
}
