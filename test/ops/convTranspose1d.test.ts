import { describeCases } from '../support/describeCases'

describeCases('convTranspose1d')
