import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** CRC-32C bit by bit, straight from its definition. */
export function slowCrc32c(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1))
  }
  return ~crc >>> 0
}

/** What a CRC was before it was masked. */
export function unmasked(masked: number): number {
  const turned = (masked - 0xa282ead8) >>> 0
  return ((turned >>> 17) | (turned << 15)) >>> 0
}

/** The data of the records of a TFRecord file; throws where a CRC is wrong or a record is cut off. */
export function recordsOf(bytes: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at))
    const data = bytes.subarray(at + 12, at + 12 + length)
    if (data.length !== length) throw new Error(`cut off at ${at}`)
    if (unmasked(bytes.readUInt32LE(at + 8)) !== slowCrc32c(bytes.subarray(at, at + 8))) throw new Error(`length at ${at}`)
    if (unmasked(bytes.readUInt32LE(at + 12 + length)) !== slowCrc32c(data)) throw new Error(`data at ${at}`)
    found.push(data)
    at += 16 + length
  }
  return found
}

/** Fields of a message by number, each as often as it is there: varints as bigint, the others as bytes. */
function fieldsOf(bytes: Buffer): Map<number, (bigint | Buffer)[]> {
  const fields = new Map<number, (bigint | Buffer)[]>()
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number) => {
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const value = [varint, () => take(8), () => take(Number(varint())), undefined, undefined, () => take(4)][tag & 7]!()
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value])
  }
  return fields
}

const doubles = (bytes: Buffer): number[] => Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readDoubleLE(8 * index))

export interface ReadValue {
  readonly tag: string
  readonly step: number
  readonly scalar?: number
  readonly image?: { readonly height: number; readonly width: number; readonly channels: number; readonly png: Buffer }
  /** min, max, num, sum, sum of squares. */
  readonly numbers?: readonly number[]
  readonly limits?: readonly number[]
  readonly counts?: readonly number[]
}

export interface ReadFile {
  readonly version: string
  readonly values: readonly ReadValue[]
  /** Steps of SessionLog.START. */
  readonly restarts: readonly number[]
  readonly times: readonly number[]
}

/** Decodes an event file, by code of its own. */
export function readEvents(bytes: Buffer): ReadFile {
  const events = recordsOf(bytes).map(fieldsOf)
  const values: ReadValue[] = []
  const restarts: number[] = []
  for (const event of events) {
    const step = Number(event.get(2)?.[0] ?? 0n)
    if (event.has(7)) restarts.push(step)
    for (const summary of event.get(5) ?? []) {
      for (const value of fieldsOf(summary as Buffer).get(1) ?? []) {
        const fields = fieldsOf(value as Buffer)
        const tag = String(fields.get(1)![0])
        const scalar = fields.get(2)?.[0] as Buffer | undefined
        const image = fields.has(4) ? fieldsOf(fields.get(4)![0] as Buffer) : undefined
        const histogram = fields.has(5) ? fieldsOf(fields.get(5)![0] as Buffer) : undefined
        values.push({
          tag,
          step,
          ...(scalar && { scalar: scalar.readFloatLE() }),
          ...(image && {
            image: {
              height: Number(image.get(1)![0]),
              width: Number(image.get(2)![0]),
              channels: Number(image.get(3)![0]),
              png: image.get(4)![0] as Buffer,
            },
          }),
          ...(histogram && {
            numbers: [1, 2, 3, 4, 5].map((field) => (histogram.get(field)![0] as Buffer).readDoubleLE()),
            limits: doubles(histogram.get(6)![0] as Buffer),
            counts: doubles(histogram.get(7)![0] as Buffer),
          }),
        })
      }
    }
  }
  const times = events.map((event) => (event.get(1)![0] as Buffer).readDoubleLE())
  return { version: String(events[0]!.get(3)![0]), values, restarts, times }
}

/** The event files of a folder, in the order of their names. */
export function readRun(folder: string): ReadFile[] {
  const number = (name: string) => Number(name.split('.').at(-2))
  const names = readdirSync(folder).sort((a, b) => number(a) - number(b))
  return names.map((name) => readEvents(readFileSync(join(folder, name))))
}
