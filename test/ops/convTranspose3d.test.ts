import { describeCases } from '../support/describeCases'

describeCases('convTranspose3d')
