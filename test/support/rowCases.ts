import type { KernelInfo } from '../../binding'
import { type OpCase, vectorEdges } from './opCase'

type Shape = readonly number[]

/** Softmax and the losses over rows of `columns` values. */
export function rowsOf(rows: number, columns: number): OpCase[] {
  const shape = [rows, columns]
  const entropy = (labels: Shape, gradient: boolean, note: string): OpCase => ({
    name: `softmaxCrossEntropy [${shape}] ${note}`,
    op: 'softmaxCrossEntropy',
    shapes: { logits: shape, labels, loss: [], ...(gradient && { dlogits: shape }) },
    attributes: {},
  })
  const weighed = (labels: Shape, outputs: OpCase['shapes'], attributes: OpCase['attributes'], note: string): OpCase => ({
    name: `softmaxCrossEntropy [${shape}] ${note}`,
    op: 'softmaxCrossEntropy',
    shapes: { logits: shape, labels, loss: [], ...outputs },
    attributes,
  })
  const classWeights = Array.from({ length: columns }, (_, k) => (k % 5) / 2)
  const squares = (gradient: boolean, note: string): OpCase => ({
    name: `meanSquaredError [${shape}] ${note}`,
    op: 'meanSquaredError',
    shapes: { predictions: shape, targets: shape, loss: [], ...(gradient && { dpredictions: shape }) },
    attributes: {},
  })
  const accuracy = (labels: Shape, note: string, attributes: OpCase['attributes'] = {}): OpCase => ({
    name: `accuracy [${shape}] ${note}`,
    op: 'accuracy',
    shapes: { predictions: shape, labels, correct: [], ...(attributes.k !== undefined && { counted: [] }) },
    attributes,
  })
  const classes = columns === 1 ? 2 : columns
  const confusion = (labels: Shape, results: OpCase['shapes'], attributes: OpCase['attributes'], note: string): OpCase => ({
    name: `confusion [${shape}] ${note}`,
    op: 'confusion',
    shapes: { predictions: shape, labels, ...results },
    attributes,
  })
  return [
    { name: `softmax [${shape}]`, op: 'softmax', shapes: { x: shape, y: shape }, attributes: {} },
    { name: `softmaxBackward [${shape}]`, op: 'softmaxBackward', shapes: { dy: shape, y: shape, dx: shape }, attributes: {} },
    { name: `logSoftmax [${shape}]`, op: 'logSoftmax', shapes: { x: shape, y: shape }, attributes: {} },
    { name: `logSoftmaxBackward [${shape}]`, op: 'logSoftmaxBackward', shapes: { dy: shape, y: shape, dx: shape }, attributes: {} },
    entropy([rows], true, 'class numbers'),
    entropy([rows], false, 'class numbers, loss alone'),
    entropy(shape, true, 'distributions'),
    entropy(shape, false, 'distributions, loss alone'),
    weighed([rows], { weights: [rows], dlogits: shape, weight: [] }, { ignoreLabel: 0 }, 'weights and an ignored label'),
    weighed([rows], { dlogits: shape, weight: [] }, { labelSmoothing: 0.1, classWeights, ignoreLabel: -100 }, 'smoothed, class weights'),
    weighed(shape, { weights: [rows], dlogits: shape }, { labelSmoothing: 0.25, classWeights }, 'distributions, smoothed, all weights'),
    weighed(shape, { weights: [rows], weight: [] }, {}, 'distributions, weights, loss alone'),
    squares(true, 'with gradient'),
    squares(false, 'loss alone'),
    accuracy([rows], 'class numbers'),
    accuracy(shape, 'distributions'),
    accuracy([rows], 'among the first', { k: Math.min(columns, 3), ignoreLabel: 1 }),
    confusion([rows], { counts: [3, classes], matrix: [classes, classes] }, { ignoreLabel: 1 }, 'class numbers'),
    confusion(shape, { matrix: [classes, classes] }, { threshold: 0.25 }, 'distributions, matrix alone'),
    confusion(shape, { counts: [3, columns] }, { multiLabel: true, threshold: 0.25 }, 'each column'),
    { name: `biasGradient [${shape}]`, op: 'biasGradient', shapes: { dy: shape, db: [columns] }, attributes: {} },
  ]
}

export function concatCase(sizes: Shape, channels: Shape): OpCase {
  const parts = channels.map((c, i) => [`x${i}`, [...sizes, c]] as const)
  const total = channels.reduce((sum, c) => sum + c, 0)
  return {
    name: `concat [${sizes}] of ${channels} channels`,
    op: 'concat',
    shapes: { ...Object.fromEntries(parts), y: [...sizes, total] },
    attributes: { count: channels.length },
  }
}

export function sliceCase(sizes: Shape, channels: number, start: number, count: number): OpCase {
  return {
    name: `slice [${sizes},${channels}] ${count} channels from ${start}`,
    op: 'slice',
    shapes: { x: [...sizes, channels], y: [...sizes, count] },
    attributes: { start },
  }
}

/** Ops that work row by row: softmax, losses, accuracy, sums over rows, concat and slice. */
export function rowCases(info: KernelInfo): OpCase[] {
  return [
    ...[1, 2, 10, 17, 100, 1000].flatMap((columns) => rowsOf(3, columns)),
    ...vectorEdges(info).flatMap((columns) => rowsOf(2, columns)),
    ...[1, 5, 63, 64, 65, 129, 300].flatMap((rows) => rowsOf(rows, 10)),
    ...[
      [1, 1],
      [3, 5],
      [16, 1, 17],
      [2, 3, 4, 5, 6],
    ].map((channels) => concatCase([2, 3], channels)),
    concatCase([7], [4]),
    concatCase([2, 5, 6], [33, 31]),
    ...(
      [
        [1, 0, 1],
        [5, 0, 2],
        [5, 3, 2],
        [33, 16, 17],
        [64, 1, 63],
      ] as const
    ).map(([C, start, c]) => sliceCase([3, 4], C, start, c)),
    sliceCase([9], 8, 2, 3),
  ]
}
