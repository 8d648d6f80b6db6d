import { pointwisePasses } from '../support/arbitraries'
import { edges, PROPERTY_CASES, property } from '../support/describeCases'

// The other properties draw too few channels. These are large cases: a tenth as many of them.
const runs = Math.ceil(PROPERTY_CASES / 10)
property('weight gradients of conv1d with one tap', pointwisePasses(1, edges), runs)
property('weight gradients of conv2d with one tap', pointwisePasses(2, edges), runs)
property('weight gradients of conv3d with one tap', pointwisePasses(3, edges), runs)
