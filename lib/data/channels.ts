import { ConvlaneError } from '../errors'
import { nextTurn } from '../io/files'
import { checkArray } from '../tensor'
import type { Normalize, Samples } from './dataset'

/** What {@link channelStatistics} gives. */
export interface ChannelStatistics {
  /** Of each channel. */
  readonly mean: number[]
  /** The standard deviation of each channel, over n; 1 for a channel that is the same everywhere. */
  readonly deviation: number[]
}

/** Elements that are read before the event loop turns: a few milliseconds. */
const AT_ONCE = 2 ** 20

/**
 * Mean and standard deviation of each channel, the last axis, of all samples, as a network sees them: bytes scaled by the data's `normalize`, else by 1/255. For the
 * layer `normalize`. Measure training data alone. The event loop turns meanwhile.
 * @param data with samples `[N, …, C]`
 * @throws INVALID_TENSOR, INVALID_SHAPE
 */
export async function channelStatistics({
  x,
  normalize,
}: {
  readonly x: Samples
  readonly normalize?: Normalize
}): Promise<ChannelStatistics> {
  const { shape, data } = checkArray(x, 'channelStatistics', 'x', ['Float32Array', 'Uint8Array'])
  if (shape.length < 2) throw new ConvlaneError('INVALID_SHAPE', `channelStatistics: takes samples [N, …, C], received [${shape}]`)
  const channels = shape.at(-1)!
  const rows = data.length / channels
  const sums = async (of: (value: number, channel: number) => number): Promise<number[]> => {
    const totals = new Array<number>(channels).fill(0)
    const step = Math.max(1, Math.floor(AT_ONCE / channels)) * channels
    for (let start = 0; start < data.length; start += step) {
      const end = Math.min(data.length, start + step)
      for (let at = start; at < end; ) for (let channel = 0; channel < channels; channel++) totals[channel]! += of(data[at++]!, channel)
      await nextTurn()
    }
    return totals
  }
  const means = (await sums((value) => value)).map((sum) => sum / rows)
  const squares = await sums((value, channel) => (value - means[channel]!) ** 2)
  const isBytes = data[Symbol.toStringTag] === 'Uint8Array'
  const map = isBytes ? (normalize ?? { scale: 1 / 255, offset: 0 }) : { scale: 1, offset: 0 }
  const at = (numbers: number | readonly number[], channel: number) => (typeof numbers === 'number' ? numbers : numbers[channel]!)
  return {
    mean: means.map((mean, channel) => mean * at(map.scale, channel) + at(map.offset, channel)),
    deviation: squares.map((sum, channel) => Math.sqrt(sum / rows) * Math.abs(at(map.scale, channel)) || 1),
  }
}
