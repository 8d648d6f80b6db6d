import { sigmoidOf } from './activation'
import { backwardOf, mapOf } from './elementwise'

export const sigmoid = mapOf(sigmoidOf)
export const sigmoidBackward = backwardOf((dy, y) => dy * y * (1 - y))
