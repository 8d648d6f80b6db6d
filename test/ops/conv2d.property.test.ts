import { convolutionPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('conv2d and its gradients', convolutionPasses(edges))
