import { poolingPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('maxPool2d, averagePool2d and their gradients', poolingPasses(edges))
