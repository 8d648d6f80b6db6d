import { createHash } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import { ConvlaneError } from '../errors'
import { type Dataset, dataset, type Normalize, sliceDataset, type TrainTest } from './dataset'
import { packedDigits } from './digits-data'

const COUNT = 1797
const TEST = 360
const PIXELS = 64
const SHA256 = '68aea062d35a127749050fa0e52dca09d6569ac08092c925610e0954e172dde2'
const NORMALIZE: Normalize = Object.freeze({ scale: 1 / 16, offset: 0 })

/**
 * The embedded data set: 1,797 handwritten digits by 13 people, 8 × 8 grey values 0 (paper) to 16 (ink), which `normalize` maps to 0 … 1.
 * The last 360 are `test`.
 *
 * Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998 (CC BY 4.0).
 * @returns x `[N, 8, 8, 1]` as bytes, y `[N]`
 */
export async function digits(): Promise<TrainTest> {
  const all = unpack()
  return { train: sliceDataset(all, 0, COUNT - TEST), test: sliceDataset(all, COUNT - TEST) }
}

function unpack(): Dataset {
  const records = inflateRawSync(Buffer.from(packedDigits, 'base64'))
  if (createHash('sha256').update(records).digest('hex') !== SHA256) {
    throw new ConvlaneError('INVALID_FILE', 'digits: the embedded data is damaged')
  }
  const x = new Uint8Array(COUNT * PIXELS)
  const y = new Uint8Array(COUNT)
  for (let n = 0; n < COUNT; n++) {
    const at = n * (PIXELS + 1)
    x.set(records.subarray(at, at + PIXELS), n * PIXELS)
    y[n] = records[at + PIXELS]!
  }
  const classNames = Array.from({ length: 10 }, (_, digit) => String(digit))
  return dataset({ x: { shape: [COUNT, 8, 8, 1], data: x }, y: { shape: [COUNT], data: y }, classNames, normalize: NORMALIZE })
}
