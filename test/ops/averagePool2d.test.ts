import { describeCases } from '../support/describeCases'

describeCases('averagePool2d')
describeCases('averagePool2dBackward')
