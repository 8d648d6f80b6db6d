import { adaptivePasses, poolingPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('poolings along three axes and their gradients', poolingPasses(3, edges))
property('adaptive poolings along three axes', adaptivePasses(3, edges))
