import { winogradPasses } from '../support/arbitraries'
import { edges, PROPERTY_CASES, property } from '../support/describeCases'

// Two thirds of them have a window of 3 x 3 or more, which is what each algorithm needs its own 500 of.
property('conv2d by Winograd and its gradients', winogradPasses(edges), 2 * PROPERTY_CASES)
