import { boxPasses, indexPasses, stackPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('concatenation, boxes and padding', boxPasses(edges))
property('gathering and whole numbers', indexPasses(edges))
property('products of stacks', stackPasses(edges))
