import { describeCases } from '../support/describeCases'

for (const axes of [1, 2, 3]) {
  describeCases(`resize${axes}d`)
  describeCases(`resize${axes}dBackward`)
}
