import { resizePasses } from '../support/arbitraries'
import { edges, property } from '../support/describeCases'

property('images of another size along one axis', resizePasses(1, edges))
property('images of another size along two axes', resizePasses(2, edges))
property('images of another size along three axes', resizePasses(3, edges))
