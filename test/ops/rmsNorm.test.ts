import { describeCases } from '../support/describeCases'

describeCases('rmsNorm')
describeCases('rmsNormBackward')
