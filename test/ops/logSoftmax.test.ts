import { describeCases } from '../support/describeCases'

describeCases('logSoftmax')
describeCases('logSoftmaxBackward')
