import type { RunOptions } from '../../binding'
import type { CompiledProgram } from '../program/compile'
import type { Program } from '../runtime/runtime'

export type RunOutputs = (Float32Array | Int32Array)[]

/** Most runs of one program under way: one computes while the inputs of the next are being copied. */
const DEPTH = 2

/** One program with a queue before it: a runtime takes two runs at a time, callers may come in any number. */
export class Runner {
  #running = 0
  readonly #waiting: (() => void)[] = []
  readonly #draining: (() => void)[] = []

  constructor(
    readonly program: Program,
    readonly compiled: CompiledProgram,
  ) {}

  get idle(): boolean {
    return this.#running === 0
  }

  /** Whether a run would start before the call returns, its inputs copied. */
  get free(): boolean {
    return this.#running < DEPTH
  }

  /** Runs as soon as there is room, in order of the calls. */
  async run(options: RunOptions): Promise<RunOutputs> {
    if (this.free) this.#running++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await this.program.run(options)
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
      if (this.idle) for (const drained of this.#draining.splice(0)) drained()
    }
  }

  /** Resolves when all runs that were asked for have ended. */
  async drain(): Promise<void> {
    if (!this.idle) await new Promise<void>((resolve) => this.#draining.push(resolve))
  }
}
