import { directPasses } from '../support/arbitraries'
import { edges, PROPERTY_CASES, property } from '../support/describeCases'

// Depthwise and grouped convolutions, and those of few channels: the other properties draw too few that the direct algorithm takes.
property('conv1d directly and its gradients', directPasses(1, edges), PROPERTY_CASES)
property('conv2d directly and its gradients', directPasses(2, edges), PROPERTY_CASES)
property('conv3d directly and its gradients', directPasses(3, edges), PROPERTY_CASES)
