import { convolutionNdPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('conv3d and its gradients', convolutionNdPasses(3, edges))
