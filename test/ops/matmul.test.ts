import { describeCases } from '../support/describeCases'

describeCases('matmul')
describeCases('dense')
