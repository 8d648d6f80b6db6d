/** Forward convolutions by onnxruntime-node, which is found in the folder that is named on the command line. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { drive, type Way } from '../protocol'
import { convolutionModel } from './model'

interface Tensor {
  readonly data: Float32Array
}

interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<{ run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> }>
  }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => Tensor
}

/** The numbers of ../../problem.ts: this process needs no convlane. */
function randomData(length: number, seed: number): Float32Array {
  let state = seed
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

/** Reorders four axes: axis i of the result is axis `from[i]` of `data`, whose sizes are `sizes`. */
function permute(data: Float32Array, sizes: readonly number[], from: readonly number[]): Float32Array {
  const strides = sizes.map((_, axis) => sizes.slice(axis + 1).reduce((product, size) => product * size, 1))
  const [a, b, c, d] = from.map((axis) => ({ size: sizes[axis]!, stride: strides[axis]! }))
  const result = new Float32Array(data.length)
  let at = 0
  for (let i = 0; i < a!.size; i++)
    for (let j = 0; j < b!.size; j++)
      for (let k = 0; k < c!.size; k++)
        for (let l = 0; l < d!.size; l++) result[at++] = data[i * a!.stride + j * b!.stride + k * c!.stride + l * d!.stride]!
  return result
}

async function main(folder: string): Promise<void> {
  const require = createRequire(join(folder, 'package.json'))
  const { InferenceSession, Tensor } = require('onnxruntime-node') as Runtime
  const { version } = require('onnxruntime-node/package.json') as { version: string }
  const threads = Number(process.env.OMP_NUM_THREADS)
  await drive(`onnxruntime-node ${version}`, async (words) => {
    const [N, C, H, W, OC, KH, KW, stride, pad, groups] = words.slice(2).map(Number) as [number, ...number[]] & number[]
    if (words[0] !== 'conv' || words[1] !== 'fwd' || groups === undefined) throw new Error('this driver does conv fwd, with ten numbers')
    const [OH, OW] = [Math.floor((H! + 2 * pad! - KH!) / stride!) + 1, Math.floor((W! + 2 * pad! - KW!) / stride!) + 1]
    const ic = C! / groups
    const w = permute(randomData(KH! * KW! * ic * OC!, 2), [KH!, KW!, ic, OC!], [3, 2, 0, 1])
    const x = permute(randomData(N * H! * W! * C!, 1), [N, H!, W!, C!], [0, 3, 1, 2])
    const model = convolutionModel({
      x: [N, C!, H!, W!],
      w: { dims: [OC!, ic, KH!, KW!], data: w },
      bias: randomData(OC!, 3),
      y: [N, OC!, OH, OW],
      stride: stride!,
      pad: pad!,
      groups,
    })
    const session = await InferenceSession.create(model, { intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential' })
    const feeds = { x: new Tensor('float32', x, [N, C!, H!, W!]) }
    let result = await session.run(feeds)
    const way: Way = {
      fmt: 'nchw',
      algo: 'default',
      run: async () => {
        result = await session.run(feeds)
      },
      sample(_output, positions) {
        const { data } = result.y!
        return positions.map((at) => {
          const [channel, pixel] = [at % OC!, Math.floor(at / OC!)]
          const [image, place] = [Math.floor(pixel / (OH * OW)), pixel % (OH * OW)]
          return data[(image * OC! + channel) * OH * OW + place]!
        })
      },
    }
    return { ways: [way] }
  })
}

main(process.argv[2]!).catch((error: Error) => {
  process.stderr.write(`${error.message.split('\n')[0]}\n`)
  process.exitCode = 1
})
