import { tanhOf } from './activation'
import { backwardOf, mapOf } from './elementwise'

export const tanh = mapOf(tanhOf)
export const tanhBackward = backwardOf((dy, y) => dy * (1 - y * y))
