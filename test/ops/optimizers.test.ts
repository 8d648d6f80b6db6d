import { describeCases } from '../support/describeCases'

describeCases('sgd')
describeCases('adam')
