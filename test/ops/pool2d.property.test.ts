import { adaptivePasses, poolingPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('poolings along two axes and their gradients', poolingPasses(2, edges))
property('adaptive poolings along two axes', adaptivePasses(2, edges))
