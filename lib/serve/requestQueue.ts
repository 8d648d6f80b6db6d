import type { Samples } from '../data/dataset'
import { ConvlaneError } from '../errors'
import { aborted } from '../io/files'
import { copyOf, type Tensor } from '../tensor'
import type { Column } from '../train/data'
import { onAbort } from './onAbort'

/** What a predictor has done, and has to do. */
export interface PredictorStatistics {
  /** Samples that wait for a run. */
  readonly waiting: number
  /** Samples that are being computed. */
  readonly running: number
  /** Calls that were answered. */
  readonly answered: number
  /** Calls that were refused with OVERLOADED. */
  readonly refused: number
  /** Runs of the model, for all those samples. */
  readonly runs: number
}

/** What one call gets: a tensor for each output. */
export type Answer = readonly Tensor[]

/** Runs the model on samples, an array for each of its inputs; gives a tensor for each output. */
export type Run = (x: readonly Samples[]) => Promise<Answer>

export interface QueueLimits {
  /** Samples in a run. */
  readonly maxBatch: number
  /** Milliseconds. */
  readonly maxWait: number
  /** Samples that wait. */
  readonly maxQueue: number
}

/** Most runs under way: the samples of the second are put together and handed over while the first computes. */
const RUNS = 2

interface Request {
  readonly n: number
  readonly columns: readonly Column[]
  /** What calls that share a run have in common. */
  readonly form: string
  /** When it need not wait for others any more. */
  readonly due: number
  /** Of its samples, how many are in a run or done. */
  taken: number
  done: number
  /** Where it took more than one run: what these gave so far. */
  readonly parts: { readonly start: number; readonly answer: Answer }[]
  settled: boolean
  readonly settle: (answer: Answer | undefined, error?: unknown) => void
}

/** So many samples of a request. */
interface Part {
  readonly request: Request
  readonly start: number
  readonly count: number
}

/** Calls in the order they came, taken together into runs of alike samples; large ones take several. */
export class RequestQueue {
  readonly #run: Run
  readonly #limits: QueueLimits
  readonly #requests: Request[] = []
  #timer: NodeJS.Timeout | undefined
  #isWaking = false
  #closed = false
  readonly #closing: (() => void)[] = []
  #runs = 0
  readonly #counts = { waiting: 0, running: 0, answered: 0, refused: 0, runs: 0 }

  constructor(run: Run, limits: QueueLimits) {
    this.#run = run
    this.#limits = limits
  }

  get statistics(): PredictorStatistics {
    return { ...this.#counts }
  }

  /** Puts samples, which are copied, at the end. Throws OVERLOADED, DISPOSED, INVALID_ARGUMENT, ABORTED, and what the run throws. */
  ask({ n, x }: { readonly n: number; readonly x: readonly Column[] }, label: string, signal: AbortSignal | undefined): Promise<Answer> {
    const { maxQueue, maxWait } = this.#limits
    if (this.#closed) throw new ConvlaneError('DISPOSED', `${label}: the predictor is closed`)
    if (n > maxQueue) {
      const message = `${label}: at most ${maxQueue} samples (maxQueue) at a time, received ${n}: model.predict takes any number`
      throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: maxQueue, received: n })
    }
    if (this.#counts.waiting + n > maxQueue) {
      this.#counts.refused++
      const message = `${label}: ${this.#counts.waiting} samples wait already, at most ${maxQueue} may (maxQueue)`
      throw new ConvlaneError('OVERLOADED', message, { expected: maxQueue, received: this.#counts.waiting + n })
    }
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#drop(request, aborted(signal!))
        this.#wake()
      }
      const request: Request = {
        n,
        columns: x.map(({ form, data }) => ({ form, data: copyOf(data) })),
        form: JSON.stringify(x.map(({ form }) => form)),
        due: performance.now() + maxWait,
        taken: 0,
        done: 0,
        parts: [],
        settled: false,
        settle: (answer, error) => {
          if (request.settled) return
          request.settled = true
          release?.()
          if (answer) this.#counts.answered++
          if (answer) resolve(answer)
          else reject(error)
        },
      }
      const release = signal && onAbort(signal, stop)
      this.#requests.push(request)
      this.#counts.waiting += n
      this.#wake()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#start()
    if (this.#requests.length > 0 || this.#runs > 0) await new Promise<void>((resolve) => this.#closing.push(resolve))
  }

  /** Takes a request out, whose samples in a run are of no use any more. */
  #drop(request: Request, error: unknown): void {
    const at = this.#requests.indexOf(request)
    if (at >= 0) {
      this.#requests.splice(at, 1)
      this.#counts.waiting -= request.n - request.taken
    }
    request.settle(undefined, error)
  }

  /** Looks for work at the end of this turn of the event loop, when all calls of the turn are in. */
  #wake(): void {
    if (this.#isWaking) return
    this.#isWaking = true
    setImmediate(() => {
      this.#isWaking = false
      this.#start()
    })
  }

  /** Starts what may run, and sees to it that the rest is looked at when its time has come. */
  #start(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#runs < RUNS && this.#requests.length > 0) {
      const wait = this.#requests[0]!.due - performance.now()
      if (wait > 0 && this.#counts.waiting < this.#limits.maxBatch && !this.#closed) {
        this.#timer = setTimeout(() => this.#start(), Math.ceil(wait))
        return
      }
      void this.#compute(this.#take())
    }
    this.#end()
  }

  /** The samples of the next run: those in front, as far as they are alike. */
  #take(): Part[] {
    const parts: Part[] = []
    const { form } = this.#requests[0]!
    let room = this.#limits.maxBatch
    for (let request = this.#requests[0]; request?.form === form && room > 0; request = this.#requests[0]) {
      const count = Math.min(room, request.n - request.taken)
      parts.push({ request, start: request.taken, count })
      request.taken += count
      room -= count
      if (request.taken === request.n) this.#requests.shift()
    }
    return parts
  }

  async #compute(parts: readonly Part[]): Promise<void> {
    const n = parts.reduce((sum, { count }) => sum + count, 0)
    this.#counts.waiting -= n
    this.#counts.running += n
    this.#counts.runs++
    this.#runs++
    try {
      const answer = await this.#run(joined(parts, n))
      let row = 0
      for (const { request, start, count } of parts) {
        this.#answer(request, start, rowsOf(answer, row, count), count)
        row += count
      }
    } catch (error) {
      for (const { request } of parts) this.#drop(request, error)
    } finally {
      this.#runs--
      this.#counts.running -= n
      this.#start()
    }
  }

  #answer(request: Request, start: number, answer: Answer, count: number): void {
    request.done += count
    if (count === request.n) {
      request.settle(answer)
      return
    }
    request.parts.push({ start, answer })
    if (request.done < request.n) return
    const parts = request.parts.sort((a, b) => a.start - b.start)
    request.settle(
      answer.map(({ shape: [, ...sizes] }, output) => {
        const data = new Float32Array(request.n * sizes.reduce((product, size) => product * size, 1))
        for (const part of parts) data.set(part.answer[output]!.data, (part.start * data.length) / request.n)
        return { shape: [request.n, ...sizes], data }
      }),
    )
  }

  #end(): void {
    if (this.#closed && this.#requests.length === 0 && this.#runs === 0) for (const closed of this.#closing.splice(0)) closed()
  }
}

/** The samples of all parts, one behind the other, for each input. */
function joined(parts: readonly Part[], n: number): Samples[] {
  const [{ request: first, count: whole }] = parts as readonly [Part, ...Part[]]
  if (parts.length === 1 && whole === first.n)
    return first.columns.map(({ form, data }) => ({ shape: [n, ...form.shape], data: data as Samples['data'] }))
  return first.columns.map(({ form, data: { length } }, input) => {
    const row = length / first.n
    const data = form.dtype === 'uint8' ? new Uint8Array(n * row) : new Float32Array(n * row)
    let at = 0
    for (const { request, start, count } of parts) {
      data.set(request.columns[input]!.data.subarray(start * row, (start + count) * row), at)
      at += count * row
    }
    return { shape: [n, ...form.shape], data }
  })
}

/** So many rows of each tensor, as arrays of their own. */
function rowsOf(answer: Answer, start: number, count: number): Answer {
  return answer.map(({ shape: [n, ...sizes], data }) => {
    const row = data.length / n!
    return { shape: [count, ...sizes], data: data.slice(start * row, (start + count) * row) }
  })
}
