import { constraintPasses, elementwisePasses, movingPasses, optimizerPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('elementwise ops', elementwisePasses(edges))
property('concat and slice', movingPasses(edges))
property('optimizers', optimizerPasses)
property('constraints', constraintPasses(edges))
