import { describeCases } from '../support/describeCases'

for (const axes of [1, 2, 3]) {
  describeCases(`adaptiveAveragePool${axes}d`)
  describeCases(`adaptiveAveragePool${axes}dBackward`)
}
