import { convolutionPasses, manyImagesPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('conv2d and its gradients', convolutionPasses(edges))
property('conv2d and its gradients of many images', manyImagesPasses(edges))
