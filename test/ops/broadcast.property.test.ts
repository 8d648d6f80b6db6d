import { axesPasses, broadcastPasses, unaryPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('ops that broadcast', broadcastPasses(edges))
property('functions of one number', unaryPasses(edges))
property('reductions, repetition, permutation', axesPasses(edges))
