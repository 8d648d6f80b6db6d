import { convolutionPasses, manyImagesPasses } from '../support/arbitraries'
import { edges, PROPERTY_CASES, property } from '../support/describeCases'

property('conv2d and its gradients', convolutionPasses(edges))
property('conv2d and its gradients of many images', manyImagesPasses(edges), Math.ceil(PROPERTY_CASES / 5)) // large cases: fewer of them
