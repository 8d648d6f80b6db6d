import { describeCases } from '../support/describeCases'

describeCases('groupNorm')
describeCases('groupNormBackward')
