import { describeCases } from '../support/describeCases'

describeCases('augment')
describeCases('mixup')
