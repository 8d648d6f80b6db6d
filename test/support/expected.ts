import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sizeOf } from './compute'
import { runReference, type Tensors, writtenBy } from './executeStep'
import type { OpCase } from './opCase'

/** Where results of the reference are kept between processes: an emulated one takes from there what this machine's processor has computed. */
const folder = process.env.CONVLANE_EXPECTED

/** Cases and data are the key: who has others computes for himself. */
function fileOf(c: OpCase, tensors: Tensors): string {
  const hash = createHash('sha1').update(JSON.stringify([c.op, c.shapes, c.attributes, c.scalars]))
  for (const values of Object.values(tensors)) hash.update(values)
  return join(folder!, hash.digest('hex'))
}

/** Written whole or not at all: two processes may compute the same. */
function keep(file: string, results: readonly Float64Array[]): void {
  writeFileSync(
    `${file}.${process.pid}`,
    Buffer.concat(results.map((values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength))),
  )
  renameSync(`${file}.${process.pid}`, file)
}

/** What the reference makes of the tensors: the operands that the step writes, in double precision. */
export function expectedOf(c: OpCase, tensors: Tensors): Record<string, Float64Array> {
  if (!folder) return runReference(c, tensors)
  const file = fileOf(c, tensors)
  if (!existsSync(file)) {
    const results = runReference(c, tensors)
    keep(file, Object.values(results))
    return results
  }
  const numbers = new Float64Array(Uint8Array.from(readFileSync(file)).buffer)
  let end = 0
  return Object.fromEntries(
    writtenBy(c).map((name) => {
      const start = end
      end += sizeOf(c.shapes[name]!)
      return [name, numbers.subarray(start, end)]
    }),
  )
}
