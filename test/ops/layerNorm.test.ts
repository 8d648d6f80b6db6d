import { describeCases } from '../support/describeCases'

describeCases('layerNorm')
describeCases('layerNormBackward')
