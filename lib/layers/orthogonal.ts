import type { RandomStream } from '../random'

/**
 * A matrix, row-major, whose columns (rows, where those are fewer) are at right angles and of length `gain`: a normally distributed one made so by
 * Gram and Schmidt's method, a vector that lost much of its length being treated twice. Each matrix of that kind is as likely as any other (the factor R of
 * the decomposition has a positive diagonal; Mezzadri, "How to generate random matrices from the classical compact groups", 2007).
 */
export function orthogonalValues(rows: number, columns: number, gain: number, random: RandomStream): Float32Array {
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows]
  const vectors = Array.from({ length: count }, () => Float64Array.from({ length }, () => random.normal()))
  vectors.forEach((vector, index) => {
    let before = norm(vector)
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < index; other++) removeAlong(vector, vectors[other]!)
      const left = norm(vector)
      if (left > 0.7 * before) break
      before = left
    }
    const size = norm(vector)
    for (let i = 0; i < length; i++) vector[i]! /= size
  })
  const values = new Float32Array(rows * columns)
  vectors.forEach((vector, index) => {
    for (let i = 0; i < length; i++) values[rows < columns ? index * columns + i : i * columns + index] = gain * vector[i]!
  })
  return values
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

const norm = (vector: Float64Array): number => Math.sqrt(dot(vector, vector))

/** Takes away what of `vector` lies along `unit`. */
function removeAlong(vector: Float64Array, unit: Float64Array): void {
  const share = dot(vector, unit)
  for (let i = 0; i < vector.length; i++) vector[i]! -= share * unit[i]!
}
