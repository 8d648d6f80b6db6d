import { describeCases } from '../support/describeCases'

for (const axes of [1, 3]) {
  describeCases(`averagePool${axes}d`)
  describeCases(`averagePool${axes}dBackward`)
}
