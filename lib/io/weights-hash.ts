import { createHash } from 'node:crypto'
import type { Tensor } from '../tensor'

/**
 * SHA-256 (hexadecimal) over every tensor, sorted by name: the name in UTF-8, a zero byte, the sizes in decimal joined by commas,
 * a zero byte, the elements as little-endian float32. Equal exactly when names, shapes and bits are.
 */
export function weightsSha256(weights: Readonly<Record<string, Tensor>>): string {
  const hash = createHash('sha256')
  for (const name of Object.keys(weights).sort()) {
    const { shape, data } = weights[name]!
    hash.update(`${name}\0${shape.join(',')}\0`)
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return hash.digest('hex')
}
