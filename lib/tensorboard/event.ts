import { type Encodable, messages } from '../io/protobuf'
import { recordOf } from './record'

/** The messages of event files that are written here, with the numbers of tensorflow's event.proto and summary.proto. */
const table = {
  Event: {
    wallTime: [1, 'double'],
    step: [2, 'int64'],
    fileVersion: [3, 'string'],
    summary: [5, 'Summary'],
    sessionLog: [7, 'SessionLog'],
    sourceMetadata: [10, 'SourceMetadata'],
  },
  SessionLog: { status: [1, 'int32'] },
  SourceMetadata: { writer: [1, 'string'] },
  Summary: { value: [1, 'Value', 'repeated'] },
  Value: { tag: [1, 'string'], simpleValue: [2, 'float'], image: [4, 'Image'], histo: [5, 'Histogram'] },
  Image: { height: [1, 'int32'], width: [2, 'int32'], colorspace: [3, 'int32'], encodedImageString: [4, 'bytes'] },
  Histogram: {
    min: [1, 'double'],
    max: [2, 'double'],
    num: [3, 'double'],
    sum: [4, 'double'],
    sumSquares: [5, 'double'],
    bucketLimit: [6, 'double', 'repeated'],
    bucket: [7, 'double', 'repeated'],
  },
} as const

const events = messages(table)

/** One thing that is told under a tag. */
export type SummaryValue = Encodable<typeof table, 'Value'>

/** The record of an event, now. */
function eventRecord(event: Omit<Encodable<typeof table, 'Event'>, 'wallTime'>): Uint8Array {
  return recordOf(events.encode('Event', { wallTime: Date.now() / 1000, ...event }))
}

/** What a file begins with. */
export function fileHead(): Uint8Array {
  return eventRecord({ fileVersion: 'brain.Event:2', sourceMetadata: { writer: 'convlane' } })
}

/** SessionLog.START: whatever was written before for this step and later ones is of a run that was left. */
const START = 1

/** Says that the steps begin anew at this one. */
export function restartRecord(step: number): Uint8Array {
  return eventRecord({ step: BigInt(step), sessionLog: { status: START } })
}

/** What an event tells of. */
export interface ToldEvent {
  readonly step: number
  readonly tags: readonly string[]
  /** Whether it is the record of {@link restartRecord}. */
  readonly isRestart: boolean
}

/** @throws INVALID_FILE; `source` begins its message */
export function readEvent(data: Uint8Array, source: string): ToldEvent {
  const { step, summary, sessionLog } = events.decode('Event', data, source)
  return { step: Number(step), tags: summary?.value.map(({ tag }) => tag) ?? [], isRestart: sessionLog?.status === START }
}

/** Values of one step. */
export function summaryRecord(step: number, value: readonly SummaryValue[]): Uint8Array {
  return eventRecord({ step: BigInt(step), summary: { value } })
}
