import { rowPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('softmax, losses, accuracy and sums over rows', rowPasses(edges))
