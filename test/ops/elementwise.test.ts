import { describeCases } from '../support/describeCases'

for (const op of ['add', 'multiply', 'scale', 'dropout', 'normalize', 'fill', 'concat', 'slice']) describeCases(op)
