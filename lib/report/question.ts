import type { Model } from '../model/model'
import type { Labels, Tensor } from '../tensor'

/** How predictions and targets of a model are to be read. */
export type Question =
  /** One of K classes. */
  | { readonly kind: 'classes'; readonly classes: number; readonly ignoreLabel: number | undefined }
  /** K questions of their own, yes or no each. */
  | { readonly kind: 'labels'; readonly classes: number }
  /** Numbers. */
  | { readonly kind: 'numbers'; readonly width: number }
  /** Something else, of which the page shows what the layers make of it. */
  | { readonly kind: 'other'; readonly why: string }

/** What a row of scores stands for. */
export interface Scale {
  /** How the page calls them. */
  readonly name: 'probability' | 'score'
  /** By class; of a single number that says yes or no two. */
  of(row: Float32Array): number[]
}

/** Losses of one class among many. */
const ofClasses = ['softmaxCrossEntropy', 'categoricalHinge']
/** Losses of answers yes or no, on what becomes a probability by the logistic function. */
const ofLogits = ['sigmoidCrossEntropy', 'focal']

type AnyModel = Model<never, unknown>

/** Name and options of an output's loss, as far as the model's description tells: functions of a user's own have none. */
function lossOf({ document }: AnyModel, output: number): { readonly name: string | undefined; readonly ignoreLabel: number | undefined } {
  const loss = document.compile?.loss[output]
  if (typeof loss !== 'object') return { name: loss, ignoreLabel: undefined }
  return { name: loss.name, ignoreLabel: loss.options.ignoreLabel as number | undefined }
}

/** Whether an output, by its number, is measured by classes. */
function countsClasses({ document, architecture }: AnyModel, output: number): boolean {
  const metrics = document.compile?.metrics ?? []
  const own = Array.isArray(metrics)
    ? metrics
    : (metrics as Exclude<typeof metrics, readonly unknown[]>)[architecture.outputs[output]!.name]
  return (own ?? []).some((metric: string | { readonly type: string }) => {
    return ['accuracy', 'topK', 'confusionMatrix'].includes(typeof metric === 'string' ? metric : metric.type)
  })
}

/** What the layer that gives an output does to its result: the name of an activation. */
function lastActivation({ architecture: { layers, calls, inputs, outputs } }: AnyModel, output: number): string | undefined {
  const call = calls[outputs[output]!.place - inputs.length]
  if (!call) return undefined
  const { layer } = layers[call.layer]!
  const { activation } = layer.config()
  return typeof activation === 'string' && activation !== 'linear' ? activation : layer.type
}

/** How the targets of an output, by its number, and what the model gives there are to be read. */
export function questionOf(model: AnyModel, y: Labels | Tensor, output: number): Question {
  const { shape } = model.architecture.outputs[output]!
  const width = shape.reduce((product, size) => product * size, 1)
  const { name, ignoreLabel } = lossOf(model, output)
  const isNumbered = !(y.data instanceof Float32Array)
  const perSample = y.data.length / y.shape[0]!
  if (isNumbered) {
    if (shape.length !== 1 || y.shape.length !== 1) return { kind: 'other', why: 'Class numbers are measured of outputs [N, K].' }
    // A loss of one class among many knows a single class where the output is a single number, others two.
    const classes = width === 1 && !ofClasses.includes(name ?? '') ? 2 : width
    return { kind: 'classes', classes, ignoreLabel }
  }
  if (perSample !== width) return { kind: 'other', why: `Targets have ${perSample} numbers for each sample, the output has ${width}.` }
  const isYesOrNo = [...ofLogits, 'hinge'].includes(name ?? '')
  const areClasses = ofClasses.includes(name ?? '') || countsClasses(model, output)
  if (shape.length > 1) {
    return isYesOrNo || areClasses ? { kind: 'other', why: 'Classes are measured of outputs [N, K].' } : { kind: 'numbers', width }
  }
  if (width === 1) return isYesOrNo ? { kind: 'classes', classes: 2, ignoreLabel: undefined } : { kind: 'numbers', width }
  if (areClasses) return { kind: 'classes', classes: width, ignoreLabel: undefined }
  return isYesOrNo ? { kind: 'labels', classes: width } : { kind: 'numbers', width }
}

const logistic = (value: number) => 1 / (1 + Math.exp(-value))

/** What the scores of a classifier stand for: probabilities where the model ends with them, or is trained on their logits; without a loss that is taken as well. */
export function scaleOf(model: AnyModel, { kind }: Question, output: number): Scale {
  const last = lastActivation(model, output)
  const { name } = lossOf(model, output)
  const two = (row: Float32Array, one: (value: number) => number) => {
    const second = one(row[0]!)
    return [1 - second, second]
  }
  const isSingle = model.architecture.outputs[output]!.shape.at(-1) === 1
  const isOneClass = isSingle && ofClasses.includes(name ?? '')
  const plain = (row: Float32Array) => (isSingle && !isOneClass ? two(row, (value) => value) : Array.from(row))
  if (last === 'softmax' || last === 'sigmoid' || last === 'hardSigmoid') return { name: 'probability', of: plain }
  if (last === 'logSoftmax') return { name: 'probability', of: (row) => Array.from(row, Math.exp) }
  if (name === 'hinge' && isSingle) return { name: 'score', of: (row) => two(row, (value) => (value + 1) / 2) }
  if (ofLogits.includes(name ?? '') || (name === undefined && isSingle)) {
    return { name: 'probability', of: (row) => (isSingle ? two(row, logistic) : Array.from(row, logistic)) }
  }
  if (kind === 'classes' && (name === undefined || name === 'softmaxCrossEntropy')) return { name: 'probability', of: softmax }
  return { name: 'score', of: plain }
}

function softmax(row: Float32Array): number[] {
  const most = row.reduce((largest, value) => Math.max(largest, value), Number.NEGATIVE_INFINITY)
  const powers = Array.from(row, (value) => Math.exp(value - most))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}
