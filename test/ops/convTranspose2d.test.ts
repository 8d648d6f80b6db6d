import { describeCases } from '../support/describeCases'

describeCases('convTranspose2d')
