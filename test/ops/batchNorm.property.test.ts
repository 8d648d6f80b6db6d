import { batchNormPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('batch normalization', batchNormPasses(edges))
