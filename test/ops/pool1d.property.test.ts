import { adaptivePasses, poolingPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('poolings along one axis and their gradients', poolingPasses(1, edges))
property('adaptive poolings along one axis', adaptivePasses(1, edges))
