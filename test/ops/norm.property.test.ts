import { normPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('normalization of samples', normPasses(edges))
