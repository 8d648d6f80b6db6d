import { describeCases } from '../support/describeCases'

describeCases('conv3d')
describeCases('conv3dBackwardInput')
describeCases('conv3dBackwardWeights')
