import { describeCases } from '../support/describeCases'

describeCases('softmaxCrossEntropy')
describeCases('meanSquaredError')
describeCases('accuracy')
describeCases('confusion')
