import { invalid } from '../check'
import { ConvlaneError } from '../errors'
import type { Model } from '../model/model'
import type { Tensor } from '../tensor'
import { type ClassResult, resultsOf, talliesOfCounts } from '../train/classification'
import type { Data } from '../train/data'
import { firstLargest } from '../train/largest'
import { type Question, questionOf, type Scale, scaleOf } from './question'
import { asSeen, type Example, exampleOf, type Piece, piecesOf, rowsOf, Worst } from './samples'

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

/** What was seen on the way through the data. */
export interface Look {
  readonly outcome: ClassOutcome | NumberOutcome | OtherOutcome
  /** Those that are furthest from right. */
  readonly worst: readonly Example[]
  readonly examples: readonly Example[]
  /** Some samples, for gradients. */
  readonly batch: Piece
}

export interface LookOptions {
  readonly batchSize: number
  /** Most that are shown. */
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
export async function look(model: Model, data: Data, options: LookOptions): Promise<Look> {
  const seen = asSeen(model as Model<never, unknown>, data)
  const chosen = new Set(options.examples)
  const found = new Map<number, Example>()
  let [tally, batch, first]: [Tally | undefined, Piece | undefined, Example | undefined] = [undefined, undefined, undefined]
  for await (const piece of piecesOf(data, options.batchSize, options.signal)) {
    batch ??= {
      start: 0,
      n: Math.min(BATCH, piece.n),
      x: seen(rowsOf(piece.x, 0, Math.min(BATCH, piece.n))),
      y: rowsOf(piece.y, 0, Math.min(BATCH, piece.n)),
    }
    tally ??= tallyOf(model as Model<never, unknown>, questionOf(model as Model<never, unknown>, piece.y), options)
    const said = tally instanceof Others ? undefined : ((await model.predict(seen(piece.x))) as Tensor)
    for (let row = 0; row < piece.n; row++) {
      const index = piece.start + row
      const verdict = tally.add(piece, row, said)
      if (chosen.has(index)) found.set(index, exampleOf(piece, row, verdict))
      else if (!first && verdict.isRight) first = exampleOf(piece, row, verdict)
    }
  }
  if (!tally || !batch) throw new ConvlaneError('INVALID_ARGUMENT', 'report: the data gave no samples')
  const samples = tally.seen
  const missing = options.examples?.find((index) => !found.has(index))
  if (missing !== undefined) throw invalid('report', 'examples', `numbers of samples, 0 to ${samples - 1}`, missing)
  const worst = tally.worst.examples
  const examples = options.examples ? options.examples.map((index) => found.get(index)!) : [first, worst[0]].flatMap((one) => one ?? [])
  return { outcome: tally.outcome, worst, examples, batch }
}

/** What is made of a sample. */
export interface Verdict {
  readonly isRight: boolean
  /** Class numbers, or targets. */
  readonly target: readonly number[]
  /** Class numbers that the model says, or what it gives. */
  readonly said: readonly number[]
  /** By class number, where there are classes. */
  readonly scores: readonly number[]
}

interface Tally {
  readonly worst: Worst
  /** Samples so far. */
  readonly seen: number
  readonly outcome: Look['outcome']
  add(piece: Piece, row: number, said: Tensor | undefined): Verdict
}

function tallyOf(model: Model<never, unknown>, question: Question, { mistakes }: LookOptions): Tally {
  if (question.kind === 'other') return new Others(question.why)
  const worst = new Worst(mistakes)
  if (question.kind === 'numbers') return new Numbers(question.width, worst)
  return new Classes(question, scaleOf(model, question), worst)
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
  readonly worst: Worst
  #samples = 0
  #ignored = 0
  #mistakes = 0

  constructor(question: Extract<Question, { kind: 'classes' | 'labels' }>, scale: Scale, worst: Worst) {
    this.#question = question
    this.#sums = new Float64Array(question.classes * 3)
    this.#scale = scale
    this.worst = worst
  }

  get seen(): number {
    return this.#samples + this.#ignored
  }

  add(piece: Piece, row: number, said: Tensor | undefined): Verdict {
    const given = rowOf(said!, row)
    const scores = this.#scale.of(given)
    return this.#question.kind === 'labels' ? this.#addLabels(piece, row, scores) : this.#addClass(piece, row, given, scores)
  }

  #addClass(piece: Piece, row: number, given: Float32Array, scores: number[]): Verdict {
    const { classes } = this.#question
    const label = this.#labelOf(piece, row)
    const guess = firstLargest(given.length === 1 ? scores : given)
    if (label === undefined) {
      this.#ignored++
      return { isRight: false, target: [], said: [guess], scores }
    }
    if (!(label >= 0 && label < classes)) {
      const message = `report: label ${label} of sample ${piece.start + row} is out of range, expected 0 to ${classes - 1}`
      throw new ConvlaneError('INVALID_LABEL', message, { expected: classes, received: label })
    }
    const verdict = { isRight: guess === label, target: [label], said: [guess], scores }
    this.#samples++
    this.#sums[label]!++
    this.#sums[classes + guess]!++
    if (guess === label) {
      this.#sums[2 * classes + label]!++
      return verdict
    }
    this.#mistakes++
    const pair = label * classes + guess
    this.#confusions.set(pair, (this.#confusions.get(pair) ?? 0) + 1)
    this.worst.offer(-scores[label]!, () => exampleOf(piece, row, verdict))
    return verdict
  }

  /** Class number of a row; nothing where the loss ignores it. */
  #labelOf(piece: Piece, row: number): number | undefined {
    const { data } = piece.y
    if (!(data instanceof Float32Array)) {
      const label = data[row]!
      return this.#question.kind === 'classes' && label === this.#question.ignoreLabel ? undefined : label
    }
    const target = rowOf(piece.y as Tensor, row)
    return target.length === 1 ? Number(target[0]! > 0.5) : firstLargest(target)
  }

  #addLabels(piece: Piece, row: number, scores: number[]): Verdict {
    const { classes } = this.#question
    const target = rowOf(piece.y as Tensor, row)
    const isOf = Array.from(target, (value) => value > 0.5)
    const isTaken = scores.map((score) => score > 0.5)
    const numbers = (list: boolean[]) => list.flatMap((is, k) => (is ? [k] : []))
    const isRight = isOf.every((is, k) => is === isTaken[k])
    const verdict = { isRight, target: numbers(isOf), said: numbers(isTaken), scores }
    this.#samples++
    for (let k = 0; k < classes; k++) {
      if (isOf[k]) this.#sums[k]!++
      if (isTaken[k]) this.#sums[classes + k]!++
      if (isOf[k] && isTaken[k]) this.#sums[2 * classes + k]!++
    }
    if (!isRight) {
      this.#mistakes++
      const distance = scores.reduce((sum, score, k) => sum + Math.abs(score - target[k]!), 0)
      this.worst.offer(distance, () => exampleOf(piece, row, verdict))
    }
    return verdict
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
  readonly worst: Worst
  seen = 0

  constructor(width: number, worst: Worst) {
    this.#sums = Array.from({ length: width }, () => ({ square: 0, absolute: 0, mean: 0, spread: 0 }))
    this.worst = worst
  }

  add(piece: Piece, row: number, given: Tensor | undefined): Verdict {
    const [target, said] = [rowOf(piece.y as Tensor, row), rowOf(given!, row)]
    this.seen++
    let total = 0
    this.#sums.forEach((sums, k) => {
      const error = said[k]! - target[k]!
      total += error * error
      sums.square += error * error
      sums.absolute += Math.abs(error)
      // Mean and squared distance from it, in one pass (Welford, 1962).
      const step = target[k]! - sums.mean
      sums.mean += step / this.seen
      sums.spread += step * (target[k]! - sums.mean)
    })
    if (this.#pairs.length < PAIRS) this.#pairs.push([target[0]!, said[0]!])
    const verdict = { isRight: false, target: Array.from(target.subarray(0, SHOWN)), said: Array.from(said.subarray(0, SHOWN)), scores: [] }
    this.worst.offer(total, () => exampleOf(piece, row, verdict))
    return verdict
  }

  get outcome(): NumberOutcome {
    const errors = this.#sums.map(({ square, absolute, spread }) => ({
      rmse: Math.sqrt(square / this.seen),
      mae: absolute / this.seen,
      r2: spread > 0 ? 1 - square / spread : Number.NaN,
    }))
    const mean = (of: (sums: Sums) => number) => this.#sums.reduce((sum, one) => sum + of(one), 0) / (this.#sums.length * this.seen)
    const all = { rmse: Math.sqrt(mean(({ square }) => square)), mae: mean(({ absolute }) => absolute) }
    return { kind: 'numbers', samples: this.seen, all, errors, pairs: this.#pairs }
  }
}

class Others implements Tally {
  readonly #why: string
  readonly worst = new Worst(0)
  seen = 0

  constructor(why: string) {
    this.#why = why
  }

  add(): Verdict {
    this.seen++
    return { isRight: true, target: [], said: [], scores: [] }
  }

  get outcome(): OtherOutcome {
    return { kind: 'other', samples: this.seen, why: this.#why }
  }
}
