import { densePasses, matmulPasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('matmul', matmulPasses(edges))
property('dense', densePasses(edges))
