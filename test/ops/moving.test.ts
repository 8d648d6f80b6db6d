import { describeCases } from '../support/describeCases'

for (const op of ['pad', 'padBackward', 'gather', 'scatterAdd', 'oneHot', 'cast']) describeCases(op)
