// Copied into the folder of a consumer, as an ES module and as a CommonJS one, and type-checked there.
import { ConvlaneError, conv2d, dense, flatten, type Model, sequential, type Tensor } from 'convlane'
import { relu } from 'convlane/ops'

export const model: Model = sequential({ input: [8, 8, 1] }, conv2d(4, 3), flatten(), dense(10))
export const y: Tensor = relu({ shape: [1], data: new Float32Array(1) })
export const e: Error = new ConvlaneError('BUSY', 'text')
// @ts-expect-error a flatten() is missing
sequential({ input: [8, 8, 1] }, conv2d(4, 3), dense(10))
