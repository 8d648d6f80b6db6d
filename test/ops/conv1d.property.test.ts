import { convolutionNdPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('conv1d and its gradients', convolutionNdPasses(1, edges))
