import { createReadStream } from 'node:fs'
import { basename, join } from 'node:path'
import { ConvlaneError } from '../errors'
import { fileError, listFolder } from '../io/files'
import { readEvent, type ToldEvent } from './event'

/** Bytes that are looked at before others have their turn; and most of a record, more than any that is written here. */
const [SLICE, MOST] = [2 ** 16, 2 ** 30] as const

/** Names hold the second and the number of the file. */
const byNumbers = new Intl.Collator('en', { numeric: true }).compare

/**
 * The last step that was told of each tag by the run that a file goes on with: those before it in its folder, back to the one that did not go on with another.
 * @param file an event file
 * @throws FILE_ERROR
 */
export async function toldBefore(file: string): Promise<Map<string, number>> {
  const folder = join(file, '..')
  const names = (await listFolder(folder)).filter((name) => name.includes('tfevents') && name !== basename(file))
  const told = new Map<string, number>()
  for (const name of names.sort(byNumbers).reverse()) {
    let goesOn = false
    for await (const { tags, step, isRestart } of eventsIn(join(folder, name))) {
      goesOn ||= isRestart
      for (const tag of tags) told.set(tag, Math.max(step, told.get(tag) ?? 0))
    }
    if (!goesOn) break
  }
  return told
}

/** The events of a file, as far as it is whole. */
async function* eventsIn(file: string): AsyncGenerator<ToldEvent> {
  let rest: Buffer = Buffer.alloc(0)
  try {
    for await (const slice of createReadStream(file, { highWaterMark: SLICE })) {
      rest = Buffer.concat([rest, slice])
      let at = 0
      while (rest.length - at >= 12) {
        const length = Number(rest.readBigUInt64LE(at))
        if (length > MOST) return
        if (rest.length - at < length + 16) break
        yield readEvent(rest.subarray(at + 12, at + 12 + length), file)
        at += length + 16
      }
      rest = rest.subarray(at)
    }
  } catch (error) {
    // Behind what is damaged TensorBoard reads nothing either.
    if (error instanceof ConvlaneError && error.code === 'INVALID_FILE') return
    throw error instanceof ConvlaneError ? error : fileError('read', file, error)
  }
}
