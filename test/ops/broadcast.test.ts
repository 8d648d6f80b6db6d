import { binaryNames, unaryNames } from '../support/broadcastCases'
import { describeCases } from '../support/describeCases'

for (const op of [...binaryNames, 'where', ...unaryNames, 'clip', 'sum', 'max', 'min', 'broadcastTo', 'transpose']) describeCases(op)
