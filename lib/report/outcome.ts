import { invalid } from '../check'
import { ConvlaneError } from '../errors'
import type { Model } from '../model/model'
import type { Labels, Tensor } from '../tensor'
import { type ClassResult, resultsOf, talliesOfCounts } from '../train/classification'
import type { Data } from '../train/data'
import { firstLargest } from '../train/largest'
import { type Question, questionOf, type Scale, scaleOf } from './question'
import { asSeen, type Example, exampleOf, type Piece, partOf, piecesOf, Worst } from './samples'

/** How one class is taken for another. */
export interface Confusion {
  readonly label: number
  readonly said: number
  readonly count: number
}

/** What the model makes of data with classes. */
export interface ClassOutcome {
  readonly kind: 'classes' | 'labels'
  readonly samples: number
  /** Left out, because the loss ignores their label. */
  readonly ignored: number
  /** Samples that are not told right; where a sample has several labels, not all of them. */
  readonly mistakes: number
  readonly classes: readonly ClassResult[]
  /** Of one class for another, the most frequent first; none where a sample has several labels. */
  readonly confusions: readonly Confusion[]
  /** How often each class is told right. */
  readonly hits: readonly number[]
  readonly scale: Scale['name']
}

/** How far from numbers. */
export interface Distance {
  /** Root of the mean square error. */
  readonly rmse: number
  /** Mean absolute error. */
  readonly mae: number
}

/** What the model makes of data with numbers as targets. */
export interface NumberOutcome {
  readonly kind: 'numbers'
  readonly samples: number
  /** Of all numbers together. */
  readonly all: Distance
  /** Of each number that the model gives; `r2`: share of the variance that is told (NaN where there is none). */
  readonly errors: readonly (Distance & { readonly r2: number })[]
  /** Target and prediction of the first number, of the first samples. */
  readonly pairs: readonly (readonly [target: number, said: number])[]
}

/** Data of which only the samples are shown. */
export interface OtherOutcome {
  readonly kind: 'other'
  readonly samples: number
  readonly why: string
}

/** What the model makes of the data at one of its outputs. */
export interface OutputLook {
  /** Of the output. */
  readonly name: string
  readonly outcome: ClassOutcome | NumberOutcome | OtherOutcome
  /** Those that are furthest from right. */
  readonly worst: readonly Example[]
}

/** What was seen on the way through the data. */
export interface Look {
  readonly samples: number
  /** Whether the data weighs its samples. */
  readonly isWeighted: boolean
  /** For each output. */
  readonly outputs: readonly OutputLook[]
  readonly examples: readonly Example[]
  /** Some samples, for gradients. */
  readonly batch: Piece
}

export interface LookOptions {
  readonly batchSize: number
  /** Most that are shown, of each output. */
  readonly mistakes: number
  /** Numbers of the examples; absent: the first that is told right, and the worst. */
  readonly examples: readonly number[] | undefined
  readonly signal: AbortSignal | undefined
}

/** Pairs that are drawn. */
const PAIRS = 1000
/** Samples whose gradient is shown. */
const BATCH = 64
/** Numbers of a target that are shown. */
const SHOWN = 8

/** Predicts all samples, so many at a time, and keeps what is shown. Throws ABORTED, INVALID_LABEL, INVALID_ARGUMENT, and what predict throws. */
export async function look(model: Model<never, unknown>, data: Data, options: LookOptions): Promise<Look> {
  const ends = model.architecture
  const seen = asSeen(model, data)
  const chosen = new Set(options.examples)
  const found = new Map<number, Example>()
  const worst = ends.outputs.map(() => new Worst(options.mistakes))
  let [tallies, batch, first]: [Tally[] | undefined, Piece | undefined, Example | undefined] = [undefined, undefined, undefined]
  let [samples, isWeighted] = [0, false]
  for await (const piece of piecesOf(data, options.batchSize, ends, options.signal)) {
    if (!batch) {
      const some = partOf(piece, 0, Math.min(BATCH, piece.n))
      batch = { ...some, x: seen(some.x) }
    }
    tallies ??= piece.y.map((y, output) => tallyOf(model, questionOf(model, y, output), output))
    samples += piece.n
    isWeighted ||= piece.w.some((weights) => weights !== undefined)
    const isMeasured = tallies.some((tally) => !(tally instanceof Others))
    const said = isMeasured ? [await model.predict(seen(piece.x) as never)].flat() : []
    for (let row = 0; row < piece.n; row++) {
      const index = piece.start + row
      const verdicts = tallies.map((tally, output) => tally.add({ y: piece.y[output]!, index, row }, said[output] as Tensor | undefined))
      const make = () => exampleOf(piece, row, verdicts)
      verdicts.forEach(({ distance }, output) => {
        if (distance !== undefined) worst[output]!.offer(distance, make)
      })
      if (chosen.has(index)) found.set(index, make())
      else if (!first && isRight(verdicts)) first = make()
    }
  }
  if (!tallies || !batch) throw new ConvlaneError('INVALID_ARGUMENT', 'report: the data gave no samples')
  const missing = options.examples?.find((index) => !found.has(index))
  if (missing !== undefined) throw invalid('report', 'examples', `numbers of samples, 0 to ${samples - 1}`, missing)
  const outputs = tallies.map(({ outcome }, k) => ({ name: ends.outputs[k]!.name, outcome, worst: worst[k]!.examples }))
  const furthest = outputs.find((output) => output.worst.length > 0)?.worst[0]
  const shown = furthest?.index === first?.index ? [first] : [first, furthest]
  const examples = options.examples ? options.examples.map((index) => found.get(index)!) : shown.flatMap((one) => one ?? [])
  return { samples, isWeighted, outputs, examples, batch }
}

/** What is made of a sample at one output. */
export interface Verdict {
  /** Nothing where there is only more and less. */
  readonly isRight: boolean | undefined
  /** How far from right; absent where nothing is wrong. */
  readonly distance?: number
  /** Class numbers, or targets. */
  readonly target: readonly number[]
  /** Class numbers that the model says, or what it gives. */
  readonly said: readonly number[]
  /** By class number, where there are classes. */
  readonly scores: readonly number[]
}

/** Whether something is told right, and nothing wrong. */
const isRight = (verdicts: readonly Verdict[]) =>
  verdicts.some((verdict) => verdict.isRight) && verdicts.every((verdict) => verdict.isRight !== false)

/** The targets of some samples at one output, and which of them is meant. */
interface Target {
  readonly y: Labels | Tensor
  readonly row: number
  /** Number of the sample. */
  readonly index: number
}

interface Tally {
  readonly outcome: OutputLook['outcome']
  add(target: Target, said: Tensor | undefined): Verdict
}

function tallyOf(model: Model<never, unknown>, question: Question, output: number): Tally {
  if (question.kind === 'other') return new Others(question.why)
  return question.kind === 'numbers' ? new Numbers(question.width) : new Classes(question, scaleOf(model, question, output))
}

const rowOf = ({ shape, data }: Tensor, row: number): Float32Array => {
  const width = data.length / shape[0]!
  return data.subarray(row * width, (row + 1) * width)
}

class Classes implements Tally {
  /** Samples of each class, taken for it, both. */
  readonly #sums: Float64Array
  /** By label · classes + said. */
  readonly #confusions = new Map<number, number>()
  readonly #question: Extract<Question, { kind: 'classes' | 'labels' }>
  readonly #scale: Scale
  #samples = 0
  #ignored = 0
  #mistakes = 0

  constructor(question: Extract<Question, { kind: 'classes' | 'labels' }>, scale: Scale) {
    this.#question = question
    this.#sums = new Float64Array(question.classes * 3)
    this.#scale = scale
  }

  add(target: Target, said: Tensor | undefined): Verdict {
    const given = rowOf(said!, target.row)
    const scores = this.#scale.of(given)
    return this.#question.kind === 'labels' ? this.#addLabels(target, scores) : this.#addClass(target, given, scores)
  }

  #addClass(target: Target, given: Float32Array, scores: number[]): Verdict {
    const { classes } = this.#question
    const label = this.#labelOf(target)
    const guess = firstLargest(given.length === 1 ? scores : given)
    if (label === undefined) {
      this.#ignored++
      return { isRight: false, target: [], said: [guess], scores }
    }
    if (!(label >= 0 && label < classes)) {
      const message = `report: label ${label} of sample ${target.index} is out of range, expected 0 to ${classes - 1}`
      throw new ConvlaneError('INVALID_LABEL', message, { expected: classes, received: label })
    }
    const verdict = { target: [label], said: [guess], scores }
    this.#samples++
    this.#sums[label]!++
    this.#sums[classes + guess]!++
    if (guess === label) {
      this.#sums[2 * classes + label]!++
      return { ...verdict, isRight: true }
    }
    this.#mistakes++
    const pair = label * classes + guess
    this.#confusions.set(pair, (this.#confusions.get(pair) ?? 0) + 1)
    return { ...verdict, isRight: false, distance: -scores[label]! }
  }

  /** Class number of a row; nothing where the loss ignores it. */
  #labelOf({ y, row }: Target): number | undefined {
    if (!(y.data instanceof Float32Array)) {
      const label = y.data[row]!
      return this.#question.kind === 'classes' && label === this.#question.ignoreLabel ? undefined : label
    }
    const target = rowOf(y as Tensor, row)
    return target.length === 1 ? Number(target[0]! > 0.5) : firstLargest(target)
  }

  #addLabels({ y, row }: Target, scores: number[]): Verdict {
    const { classes } = this.#question
    const target = rowOf(y as Tensor, row)
    const isOf = Array.from(target, (value) => value > 0.5)
    const isTaken = scores.map((score) => score > 0.5)
    const numbers = (list: boolean[]) => list.flatMap((is, k) => (is ? [k] : []))
    const verdict = { target: numbers(isOf), said: numbers(isTaken), scores }
    this.#samples++
    for (let k = 0; k < classes; k++) {
      if (isOf[k]) this.#sums[k]!++
      if (isTaken[k]) this.#sums[classes + k]!++
      if (isOf[k] && isTaken[k]) this.#sums[2 * classes + k]!++
    }
    if (isOf.every((is, k) => is === isTaken[k])) return { ...verdict, isRight: true }
    this.#mistakes++
    const distance = scores.reduce((sum, score, k) => sum + Math.abs(score - target[k]!), 0)
    return { ...verdict, isRight: false, distance }
  }

  get outcome(): ClassOutcome {
    const { kind, classes } = this.#question
    const confusions = [...this.#confusions].map(([pair, count]) => ({ label: Math.floor(pair / classes), said: pair % classes, count }))
    return {
      kind,
      samples: this.#samples,
      ignored: this.#ignored,
      mistakes: this.#mistakes,
      classes: resultsOf(talliesOfCounts(this.#sums)),
      confusions: confusions.sort((a, b) => b.count - a.count || a.label - b.label || a.said - b.said),
      hits: Array.from(this.#sums.subarray(2 * classes)),
      scale: this.#scale.name,
    }
  }
}

/** Over the samples so far: of errors, of targets. */
interface Sums {
  square: number
  absolute: number
  mean: number
  spread: number
}

class Numbers implements Tally {
  readonly #sums: Sums[]
  readonly #pairs: [number, number][] = []
  #seen = 0

  constructor(width: number) {
    this.#sums = Array.from({ length: width }, () => ({ square: 0, absolute: 0, mean: 0, spread: 0 }))
  }

  add({ y, row }: Target, given: Tensor | undefined): Verdict {
    const [target, said] = [rowOf(y as Tensor, row), rowOf(given!, row)]
    this.#seen++
    let total = 0
    this.#sums.forEach((sums, k) => {
      const error = said[k]! - target[k]!
      total += error * error
      sums.square += error * error
      sums.absolute += Math.abs(error)
      // Mean and squared distance from it, in one pass (Welford, 1962).
      const step = target[k]! - sums.mean
      sums.mean += step / this.#seen
      sums.spread += step * (target[k]! - sums.mean)
    })
    if (this.#pairs.length < PAIRS) this.#pairs.push([target[0]!, said[0]!])
    const some = (numbers: Float32Array) => Array.from(numbers.subarray(0, SHOWN))
    return { isRight: undefined, distance: total, target: some(target), said: some(said), scores: [] }
  }

  get outcome(): NumberOutcome {
    const errors = this.#sums.map(({ square, absolute, spread }) => ({
      rmse: Math.sqrt(square / this.#seen),
      mae: absolute / this.#seen,
      r2: spread > 0 ? 1 - square / spread : Number.NaN,
    }))
    const mean = (of: (sums: Sums) => number) => this.#sums.reduce((sum, one) => sum + of(one), 0) / (this.#sums.length * this.#seen)
    const all = { rmse: Math.sqrt(mean(({ square }) => square)), mae: mean(({ absolute }) => absolute) }
    return { kind: 'numbers', samples: this.#seen, all, errors, pairs: this.#pairs }
  }
}

class Others implements Tally {
  readonly #why: string
  #seen = 0

  constructor(why: string) {
    this.#why = why
  }

  add(): Verdict {
    this.#seen++
    return { isRight: true, target: [], said: [], scores: [] }
  }

  get outcome(): OtherOutcome {
    return { kind: 'other', samples: this.#seen, why: this.#why }
  }
}
