import { describeCases } from '../support/describeCases'

describeCases('softmax')
describeCases('softmaxBackward')
