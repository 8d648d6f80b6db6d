import { describeSnippets, type Refused } from '../support/snippets'

const chain = (blocks: number) => "conv2d(8, 3, { padding: 'same' }), relu(), dropout(0.1), ".repeat(blocks)

const accepted: Record<string, string> = {
  'a network of all ranks':
    "sequential({ input: [28, 28, 1] }, conv2d(8, 3, { activation: 'relu' }), maxPool2d(2), flatten(), dropout(0.5), dense(10))",
  'sequences and volumes': `
    sequential({ input: [100, 8] }, conv1d(16, 3, { padding: 'causal' }), flatten(), dense(2))
    sequential({ input: [9, 9, 9, 1] }, conv3d(4, [3, 3, 1], { padding: [[1, 1], [0, 0], [2, 0]] }), relu(), flatten(), dense(2))`,
  'convolutions there and back': `
    sequential({ input: [28, 28, 1] }, depthwiseConv2d(3), separableConv2d(8, 3), convTranspose2d(1, 2, { stride: 2 }), flatten(), dense(2))
    sequential({ input: [9, 4] }, convTranspose1d(2, 3), conv1d(2, 3))
    sequential({ input: [3, 3, 3, 4] }, convTranspose3d(2, 3), conv3d(2, 3))`,
  'poolings of every rank': `
    sequential({ input: [28, 8] }, maxPool1d(2, { padding: 'causal' }), averagePool1d([2]), globalMaxPool1d(), dense(2))
    sequential({ input: [28, 8] }, globalAveragePool1d(), dense(2))
    sequential({ input: [28, 28, 8] }, lpPool2d(2), adaptiveAveragePool2d([3, 3]), globalMaxPool2d(), dense(2))
    sequential({ input: [9, 9, 9, 8] }, maxPool3d([2, 2, 1]), averagePool3d(2), globalAveragePool3d(), dense(2))`,
  'normalization of every rank': `
    sequential({ input: [28, 28, 8] }, layerNorm({ axes: 3 }), conv2d(8, 3), groupNorm(4), conv2d(4, 3), instanceNorm(), flatten(), rmsNorm(), dense(2))
    sequential({ input: [28, 8] }, instanceNorm(), conv1d(4, 3), groupNorm(2), flatten(), groupNorm(2), layerNorm(), dense(2))`,
  'constants of every rank': `
    sequential({ input: [28, 28, 3] }, normalize({ mean: [0.4, 0.5, 0.6], deviation: 0.2 }), conv2d(8, 3), rescale({ scale: 2 }), flatten(), rescale(), dense(2))`,
  'a shortcut, and a network of the zoo': `
    sequential({ input: [8, 8, 2] }, identityShortcut(4, { stride: 2 }), flatten(), dense(2))
    export async function run() {
      const y = await lenet({ input: [8, 8, 1], classes: 3 }).predict({ shape: [1, 8, 8, 1], data: new Uint8Array(64) })
      const shape: readonly [n: number, classes: number] = y.shape
      return shape
    }`,
  'dense layers alone': 'sequential({ input: [4] }, dense(8), relu(), dense(3))',
  'the rank that comes out': `
    const model = sequential({ input: [28, 28, 1] }, conv2d(8, 3), globalAveragePool2d(), dense(10))
    async function run() {
      const y = await model.predict({ shape: [1, 28, 28, 1], data: new Float32Array(784) })
      const shape: readonly [n: number, classes: number] = y.shape
      return shape
    }
    export { run }`,
  'a model of images gives rank 4': `
    export async function run() {
      const y = await sequential({ input: [8, 8, 1] }, conv2d(2, 3)).predict({ shape: [1, 8, 8, 1], data: new Uint8Array(64) })
      const shape: readonly [number, number, number, number] = y.shape
      return shape
    }`,
  'layers made in a loop, whose ranks are checked when the model is built': `
    const layers: Layer[] = []
    for (const filters of [8, 16]) layers.push(conv2d(filters, 3), maxPool2d(2))
    sequential({ input: [28, 28, 1] }, ...layers)`,
  'a shape that is not known before it runs':
    'export const build = (shape: number[]) => sequential({ input: shape }, conv2d(8, 3), flatten(), dense(10))',
  'a shape of a data set': `
    export async function run() {
      const { train } = await digits()
      return sequential({ input: train.x.shape.slice(1) }, conv2d(8, 3), flatten(), dense(10)).fit(train)
    }`,
  'a model where any model is asked for':
    'export const models: Model[] = [sequential({ input: [4] }, dense(3)), sequential({ input: [4, 4, 1] }, conv2d(1, 3))]',
  'a graph': `
    const x = input([28, 28, 1])
    const a = conv2d(8, 3, { padding: 'same' }).apply(x)
    const b = add().apply(a, relu().apply(a))
    const y = dense(10).apply(flatten().apply(b))
    export async function run() {
      const one = await network({ inputs: x, outputs: y }).predict({ shape: [1, 28, 28, 1], data: new Float32Array(784) })
      const two = await network({ inputs: [x], outputs: [y, b] }).predict([{ shape: [1, 28, 28, 1], data: new Float32Array(784) }])
      const shapes: [readonly [number, number], readonly [number, number], readonly [number, number, number, number]] = [one.shape, two[0].shape, two[1].shape]
      return shapes
    }`,
  'a chain of 102 layers': `sequential({ input: [28, 28, 1] }, ${chain(33)}flatten(), dense(100), dense(10))`,
  'a chain of 302 layers': `sequential({ input: [28, 28, 1] }, ${chain(100)}flatten(), dense(10))`,
}

const hint = 'put flatten() or globalAveragePool2d() before it'
const refused: Record<string, Refused> = {
  'dense after a convolution': [
    'sequential({ input: [28, 28, 1] }, conv2d(32, 3), dense(10))',
    'dense(10)',
    `dense takes rank 2 [N, C] but gets rank 4 [N, H, W, C]: ${hint}`,
  ],
  'a convolution after flatten': [
    'sequential({ input: [28, 28, 1] }, flatten(), conv2d(32, 3), flatten())',
    'conv2d(32, 3)',
    'conv2d takes rank 4 [N, H, W, C] but gets rank 2 [N, C]',
  ],
  'the first layer against the input': [
    'sequential({ input: [784] }, conv2d(32, 3), flatten())',
    'conv2d(32, 3)',
    'conv2d takes rank 4 [N, H, W, C] but gets rank 2 [N, C]',
  ],
  'a sequence where an image is wanted': [
    'sequential({ input: [100, 8] }, conv2d(32, 3), flatten())',
    'conv2d(32, 3)',
    'conv2d takes rank 4 [N, H, W, C] but gets rank 3 [N, L, C]',
  ],
  'a shortcut behind flatten': [
    'sequential({ input: [8, 8, 2] }, flatten(), identityShortcut(4))',
    'identityShortcut(4)',
    'identityShortcut takes rank 4 [N, H, W, C] but gets rank 2 [N, C]',
  ],
  'an image where a sequence is wanted': [
    'sequential({ input: [28, 28, 1] }, conv1d(32, 3), flatten())',
    'conv1d(32, 3)',
    'conv1d takes rank 3 [N, L, C] but gets rank 4 [N, H, W, C]',
  ],
  'an image where a volume is wanted': [
    'sequential({ input: [28, 28, 1] }, conv3d(32, 3), flatten())',
    'conv3d(32, 3)',
    'conv3d takes rank 5 [N, D, H, W, C] but gets rank 4 [N, H, W, C]',
  ],
  'causal padding of a transposed convolution': ["convTranspose1d(1, 2, { padding: 'causal' })", 'padding', 'causal'],
  'a pooling of another rank': [
    'sequential({ input: [100, 8] }, conv1d(4, 3), maxPool3d(2))',
    'maxPool3d(2)',
    'maxPool3d takes rank 5 [N, D, H, W, C] but gets rank 3 [N, L, C]',
  ],
  'a global pooling of another rank': [
    'sequential({ input: [28, 28, 8] }, globalMaxPool1d(), dense(2))',
    'globalMaxPool1d()',
    'globalMaxPool1d takes rank 3 [N, L, C] but gets rank 4 [N, H, W, C]',
  ],
  'what has one position for each channel': [
    'sequential({ input: [28, 28, 1] }, flatten(), instanceNorm(), dense(2))',
    'instanceNorm()',
    'instanceNorm takes rank 3 or more [N, …, C] but gets rank 2 [N, C]',
  ],
  'behind a normalization': [
    'sequential({ input: [28, 28, 1] }, instanceNorm(), layerNorm(), groupNorm(1), dense(2))',
    'dense(2)',
    `dense takes rank 2 [N, C] but gets rank 4 [N, H, W, C]: ${hint}`,
  ],
  'behind layers of any rank': [
    'sequential({ input: [28, 28, 1] }, relu(), dropout(0.5), relu(), dense(10), relu())',
    'dense(10)',
    `dense takes rank 2 [N, C] but gets rank 4 [N, H, W, C]: ${hint}`,
  ],
  'by its own name': [
    "sequential({ input: [28, 28, 1] }, conv2d(32, 3), dense(10, { name: 'head' }))",
    "dense(10, { name: 'head' })",
    `head takes rank 2 [N, C] but gets rank 4 [N, H, W, C]: ${hint}`,
  ],
  'at the end of a chain of 101': [
    `sequential({ input: [28, 28, 1] }, ${chain(33)}maxPool2d(2), dense(10))`,
    'dense(10)',
    `dense takes rank 2 [N, C] but gets rank 4 [N, H, W, C]: ${hint}`,
  ],
  'in a graph': [
    'dense(10).apply(conv2d(8, 3).apply(input([28, 28, 1])))',
    'conv2d(8, 3).apply(input([28, 28, 1]))',
    `dense takes rank 2 [N, C] but gets rank 4 [N, H, W, C]: ${hint}`,
  ],
}

describeSnippets('rank typing', accepted, refused)
