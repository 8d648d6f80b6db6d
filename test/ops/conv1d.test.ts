import { describeCases } from '../support/describeCases'

describeCases('conv1d')
describeCases('conv1dBackwardInput')
describeCases('conv1dBackwardWeights')
