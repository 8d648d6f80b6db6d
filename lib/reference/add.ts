import { activationOf } from './activation'
import { binaryOf } from './broadcast'
import type { ReferenceStep } from './step'

/** y = activation(a + b), broadcast. */
export function add(step: ReferenceStep): void {
  const activate = activationOf(step)
  binaryOf((a, b) => activate(a + b))(step)
}
