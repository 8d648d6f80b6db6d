import { describeCases } from '../support/describeCases'

describeCases('conv2d')
describeCases('conv2dBackwardInput')
describeCases('conv2dBackwardWeights')
describeCases('biasGradient')
