import { describeCases } from '../support/describeCases'

describeCases('maxPool2d')
describeCases('maxPool2dBackward')
