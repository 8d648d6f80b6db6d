import { describeCases } from '../support/describeCases'

for (const op of ['sgd', 'adam', 'rmsprop', 'adagrad', 'l2Norm', 'clipByNorm', 'clipByValue', 'constrain']) describeCases(op)
