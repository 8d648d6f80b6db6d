import { describeSnippets, type Refused } from '../support/snippets'

const ranks = { 2: '[4]', 3: '[12, 4]', 4: '[12, 12, 4]', 5: '[6, 6, 6, 4]' } as const
const names = { 2: '[N, C]', 3: '[N, L, C]', 4: '[N, H, W, C]', 5: '[N, D, H, W, C]' } as const
const shapes = { 2: '[number, number]', 3: '[number, number, number]', 4: '[number, number, number, number]', 5: '[number, number, number, number, number]' } // biome-ignore format: one line
type Rank = keyof typeof ranks

/** Every layer that wants a rank, as it is called, with the rank that it takes and the one that comes out. */
const layers: [call: string, takes: Rank, gives: Rank][] = [
  ['dense(2)', 2, 2],
  ...([1, 2, 3] as const).flatMap((axes): [string, Rank, Rank][] => {
    const rank = (axes + 2) as Rank
    const kept = [
      'conv(2, 3)',
      'convTranspose(2, 3)',
      'maxPool(2)',
      'averagePool(2)',
      'lpPool(2)',
      'adaptiveAveragePool(2)',
      'upsample(2)',
      'resize(5)',
      'zeroPad(1)',
      'crop(1)',
      ...(axes < 3 ? ['depthwiseConv(3)', 'separableConv(2, 3)'] : []),
    ]
    const written = (call: string) => call.replace('(', `${axes}d(`)
    return [
      ...kept.map((call): [string, Rank, Rank] => [written(call), rank, rank]),
      [written('globalMaxPool()'), rank, 2],
      [written('globalAveragePool()'), rank, 2],
    ]
  }),
  ['identityShortcut(9, { stride: 2 })', 4, 4],
  ['rnn(3)', 3, 2],
  ['rnn(3, { all: true })', 3, 3],
  ['permute([2, 1])', 3, 3],
  ['permute([3, 1, 2])', 4, 4],
]

/** Layers of every rank, which they keep unless it is said. */
const ofEveryRank: [call: string, gives?: Rank][] = [
  ['flatten()', 2],
  ['reshape([8])', 2],
  ['reshape([2, 2, 1])', 4],
  ['dropout(0.5)'],
  ['spatialDropout(0.5)'],
  ['batchNorm()'],
  ['maxout(2)'],
  ['prelu({ sharedAxes: [1] })'],
  ['linear()'],
  ['relu()'],
  ['softmax()'],
]

/** What comes out of a layer, without an annotation, is of that rank and of no other. */
const infers = (from: Rank, call: string, to: Rank) => `
  export async function run() {
    const y = await sequential({ input: ${ranks[from]} }, ${call}).predict({ shape: [1, 2], data: new Float32Array(2) })
    const shape: readonly ${shapes[to]} = y.shape
    return shape
  }`

const accepted: Record<string, string> = {
  ...Object.fromEntries(layers.map(([call, takes, gives]) => [`${call} of rank ${takes} gives rank ${gives}`, infers(takes, call, gives)])),
  ...Object.fromEntries(
    ofEveryRank.flatMap(([call, gives]) =>
      ([2, 3, 4, 5] as const).map((rank) => [`${call} of rank ${rank} gives rank ${gives ?? rank}`, infers(rank, call, gives ?? rank)]),
    ),
  ),
  'axes of a permutation that are not known before it runs':
    'export const turn = (axes: number[]) => sequential({ input: [3, 4, 5] }, permute(axes), flatten(), dense(2))',
  'a join by its type, as declaration files have it': "export const join: Layer<import('../../lib/index').Alike, 'same', 'add'> = add()",
  'metrics of each output': `
    const x = input([3])
    const model = network({ inputs: x, outputs: [dense(3, { name: 'kind' }).apply(x), dense(1, { name: 'price' }).apply(x)] })
    model.compile({ optimizer: adam(), loss: 'quadratic', metrics: { kind: ['accuracy', topK(2)], price: 'binaryAccuracy' } })`,
  'joins of nodes of one rank': `
    const x = input([8, 8, 3])
    const y = concat().apply(add().apply(x, x), multiply().apply(x, x, x), x)
    export const z = conv2d(2, 3).apply(y)`,
  'joins of nodes whose rank is not known': 'export const sum = (a: Node, b: Node<4>) => [add().apply(a, b), concat().apply(b, a)]',
  'borders by number, by axis, by side': `
    sequential({ input: [9, 9, 9, 1] }, zeroPad3d([1, 0, 2]), crop3d([[1, 0], [0, 0], [2, 1]]), zeroPad3d(1), flatten(), dense(1))
    sequential({ input: [9, 9, 1] }, zeroPad2d([1, 0]), crop2d([[1, 0], [2, 1]]), flatten(), dense(1))
    sequential({ input: [9, 1] }, zeroPad1d([1, 0]), crop1d(1), flatten(), dense(1))`,
  'interpolations of each number of axes': `
    upsample1d(2, { interpolation: 'linear' }); upsample2d(2, { interpolation: 'bilinear' }); upsample3d(2, { interpolation: 'trilinear' })
    resize1d(2, { interpolation: 'nearest' }); resize2d([2, 3], { interpolation: 'nearest' }); resize3d([2, 3, 4])`,
}

const hint = ': put flatten() or globalAveragePool2d() before it'
const misfits = layers.flatMap(([call, takes]) =>
  ([2, 3, 4, 5] as const)
    .filter((rank) => rank !== takes)
    .map((rank): [string, Refused] => {
      const message = `${call.replace(/\(.*/, '')} takes rank ${takes} ${names[takes]} but gets rank ${rank} ${names[rank]}${takes === 2 ? hint : ''}`
      return [`${call} of rank ${rank}`, [`sequential({ input: ${ranks[rank]} }, ${call})`, call, message]]
    }),
)

const refused: Record<string, Refused> = {
  ...Object.fromEntries(misfits),
  'what comes out of a reshape': [
    'sequential({ input: [12] }, reshape([3, 4]), conv2d(2, 3))',
    'conv2d(2, 3)',
    'conv2d takes rank 4 [N, H, W, C] but gets rank 3 [N, L, C]',
  ],
  'what comes out of a recurrence': [
    'sequential({ input: [12, 3] }, rnn(4), rnn(4))',
    'rnn(4)',
    'rnn takes rank 3 [N, L, C] but gets rank 2 [N, C]',
  ],
  'the last states where all are wanted': [
    "sequential({ input: [12, 3] }, rnn(4, { all: true, name: 'states' }), dense(2))",
    'dense(2)',
    `dense takes rank 2 [N, C] but gets rank 3 [N, L, C]${hint}`,
  ],
  'a sum of two ranks': [
    'const x = input([8, 8, 3])\nadd().apply(x, flatten().apply(x))',
    'flatten().apply(x)',
    'add takes nodes of one rank but gets rank 4 [N, H, W, C] and rank 2 [N, C]',
  ],
  'joined maps of two ranks': [
    "const x = input([8, 8, 3])\nconcat({ name: 'both' }).apply(x, x, input([64, 3]))",
    'input([64, 3])',
    'both takes nodes of one rank but gets rank 4 [N, H, W, C] and rank 3 [N, L, C]',
  ],
  'a join in a sequence': ['sequential({ input: [4] }, dense(4), add())', 'add()', 'add joins several nodes: use network() instead'],
}

describeSnippets('ranks of every layer', accepted, refused)
