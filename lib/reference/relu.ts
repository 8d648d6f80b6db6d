import { reluOf } from './activation'
import { backwardOf, mapOf } from './elementwise'

export const relu = mapOf(reluOf)
export const reluBackward = backwardOf((dy, y) => (y > 0 ? dy : 0))
