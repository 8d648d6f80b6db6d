/**
 * The whole surface of the native addon (`convlane.node`). `lib/native.ts` is the only file that loads it.
 *
 * Every function checks what it is given and throws a `NativeError` (an `Error` with a string `code`) for whatever could
 * read or write out of bounds; sizes, names and hints in the caller's words are the work of `lib/`. Nothing here keeps a
 * pointer into JavaScript memory after it returns.
 */

/** `'float32'` and `'int32'` take 4 bytes an element; `'uint8'` is allowed for inputs and eager buffers only. */
export type Dtype = 'float32' | 'int32' | 'uint8'

/**
 * Where an operand lives.
 * - `arena`: scratch memory of the lane that runs the program; nothing survives a run. `offset` in elements of 4 bytes.
 * - `state`: weights, optimizer slots, statistics (a `State`). `offset` in elements of 4 bytes. Always float32.
 * - `kept`: what the prelude of a program leaves (`ProgramSpec.prelude`). `offset` in elements of 4 bytes.
 * - `input`: the `offset`-th input of `run`, copied before `run` returns. Read only, but that preparation writes prepared ones. The operand may have another
 *   shape of as many elements.
 * - `buffer`: the `offset`-th typed array given to `execute`.
 */
export type Space = 'arena' | 'state' | 'kept' | 'input' | 'buffer'

/** One operand of a step. Row-major, contiguous. Offsets in `arena`, `state` and `kept` are multiples of 16 elements (64 bytes). */
export interface Operand {
  readonly space: Space
  readonly offset: number
  readonly dtype: Dtype
  /** Sizes, 0 to 6 of them, each >= 1. Where `batched`, `shape[0]` is the program's capacity and a run uses its first n rows. */
  readonly shape: readonly number[]
  /** Whether `shape[0]` is the batch size. Never for `state` and `kept`. */
  readonly batched: boolean
}

/**
 * One step: the op's name, its operands by name, its attributes by name (see `docs/steps.md` for the table).
 * An attribute is a number, a boolean, a string, or an array of numbers (nested arrays are read in order).
 * A scalar that changes from run to run (`learningRate`) is not an attribute but an entry of `RunOptions.scalars`.
 */
export interface Step {
  readonly op: string
  readonly [name: string]: Operand | string | number | boolean | readonly number[] | readonly (readonly number[])[]
}

/** A program: checked once here, run many times. */
export interface ProgramSpec {
  /** Largest batch size n that `run` takes (>= 1). */
  readonly capacity: number
  /** Size of the arena that the steps' `arena` operands lie in, in elements of 4 bytes. Scratch memory of the kernels is added natively. */
  readonly arenaElements: number
  /** What each input of `run` holds, in order; then those that are `prepared`: `run` isn't given them, the steps of `preparation` write them. */
  readonly inputs: readonly {
    readonly dtype: Dtype
    readonly shape: readonly number[]
    readonly batched: boolean
    readonly prepared?: boolean
  }[]
  /**
   * Steps from inputs to prepared inputs. They run before the others on a thread of their own (the lane `data`), while the run before still computes:
   * each of the two runs under way has inputs of its own. They use no arena and no state. Absent: none.
   */
  readonly preparation?: readonly Step[]
  /** Arena operands copied out when a run ends, in order. */
  readonly outputs: readonly Operand[]
  readonly steps: readonly Step[]
  /**
   * The first `steps` steps are a prelude: they read `state` and `kept`, write `kept` only, take no scalars, and run only when the state may have changed since
   * they last ran (any write, or updates of any program). `elements`: size of `kept`, in elements of 4 bytes. Programs on one state whose preludes are alike
   * share it. Absent: there is none.
   */
  readonly prelude?: { readonly steps: number; readonly elements: number }
  /**
   * The steps from this index on write `state`; they run under the state's write lock, the earlier ones under its read lock.
   * So inference beside a training step sees the weights of the last whole step. Absent: no step writes.
   */
  readonly updateFrom?: number
  /** Outputs, by number, that must be finite in every element: else the steps from `updateFrom` on are left out of the run, and the state stays. */
  readonly guards?: readonly number[]
  /** `'train'` programs and `'infer'` programs run on threads (lanes) of their own, each in order of submission; what is prepared, when it has been. */
  readonly lane: 'train' | 'infer'
}

/** One input of a run: the rows in `rows` (indices into the first axis of `data`), or the first n rows of `data`. */
export interface RunInput {
  readonly data: Float32Array | Int32Array | Uint8Array
  readonly rows?: Int32Array
}

export interface RunOptions {
  /** Batch size, 1 to capacity. */
  readonly n: number
  readonly inputs: readonly RunInput[]
  /** Values that change from run to run, by name: `learningRate`, `step`, `seed`. */
  readonly scalars?: Readonly<Record<string, number>>
}

/** What one step of one run took, summed over the runs since `createProgram` or the last `profile(true)`. */
export interface StepProfile {
  readonly op: string
  readonly algorithm: string
  readonly seconds: number
  readonly runs: number
}

/** Native memory for weights, optimizer slots and statistics; zero at creation. Read and written by copies, on whole-step boundaries. */
export interface State {
  readonly elements: number
  /** Copies `length` elements from `offset` out. Waits for the update phase of a running step, not for the step. */
  read(offset: number, length: number): Promise<Float32Array>
  /** Copies `values` in (before the call returns) and stores them at `offset` once no step reads or writes the state. */
  write(offset: number, values: Float32Array): Promise<void>
  /**
   * The id by which `adoptState` of any thread of this process makes another handle of this state, which owns it as this one does: always the same, random, 32
   * hexadecimal digits. The id itself owns nothing: it is known as long as there is a handle, or work under way.
   */
  share(): string
  /** Lets go of the memory; the last of its handles frees it, once running work is done. Later calls throw `DISPOSED`. Calling it twice is allowed. */
  dispose(): void
}

export interface Program {
  /** Bytes of arena that this program needs, kernels' scratch memory included. */
  readonly arenaBytes: number
  /** Bytes that staged and prepared inputs, and outputs, take now: those of one run from the first run on, those of two when two have been under way. */
  readonly stagingBytes: number
  /**
   * Bytes of weights that steps have prepared (packed, transformed) and keep until the state changes: in programs of small batches without updates. Programs on
   * one state share what is alike.
   */
  readonly preparedBytes: number
  /**
   * Copies the inputs and queues one run on the program's lane; resolves with the outputs (batched ones have n rows).
   * At most two runs of a program may be under way: a third throws `BUSY`.
   */
  run(options: RunOptions): Promise<(Float32Array | Int32Array)[]>
  /** Turns per-step timing on or off and returns what was measured so far. */
  profile(on: boolean): StepProfile[]
  dispose(): void
}

/** Native memory of this process, in bytes. */
export interface NativeMemory {
  readonly arenaBytes: number
  readonly stateBytes: number
  /** Staged inputs and outputs of runs under way. */
  readonly stagingBytes: number
  /** Packing buffers of threads. */
  readonly scratchBytes: number
}

/** Tile and vector sizes of the active kernel table, for tests that roam around block edges. */
export interface KernelInfo {
  /** Floats in a vector register. */
  readonly width: number
  /** Rows of the row-pointer GEMM tile, by number of vectors (index 1 to 4; index 0 unused). */
  readonly rows: readonly number[]
  /** Widest tile, in vectors. */
  readonly vectors: number
}

export interface Binding {
  readonly version: string
  /** Active instruction set, chosen once at load from the CPU or from `CONVLANE_ISA`. */
  isa(): 'scalar' | 'avx2' | 'avx512' | 'neon'
  /** What this machine can run, best first. */
  isaAvailable(): string[]
  /** Name compiled into the object that holds the active kernels: proves that the chosen table is the one that runs. */
  kernelIsa(): string
  kernelInfo(): KernelInfo
  /** CPU features that were detected, whether used or not: `avx512f`, `fma`, `asimd`, `sve`, … */
  cpuFeatures(): string[]
  /** Threads used for kernels, the calling one included; process-wide. At least 1, at most 1024. */
  setThreads(n: number): void
  threads(): number
  /** CPUs that this process may use (affinity and cgroup quota): the default of `threads`. */
  defaultThreads(): number
  memory(): NativeMemory
  createState(elements: number): State
  /**
   * Another handle of the state that has this id (`State.share`), be it of this thread or another one: the same memory under the same lock, so that programs here
   * see whole updates of programs there, and share what they prepare. `DISPOSED`: no state of this process has it any more, or ever had.
   */
  adoptState(id: string): State
  createProgram(spec: ProgramSpec, state?: State): Program
  /**
   * Runs one step now, on the calling thread and the pool, on `buffers` (float32, int32 or uint8 typed arrays). Outputs are written in place. Returns the
   * seconds that the step took, checks of arguments and the way from JavaScript and back not among them.
   */
  execute(step: Step, buffers: readonly (Float32Array | Int32Array | Uint8Array)[], scalars?: Readonly<Record<string, number>>): number
  /** Algorithms that the step could use, the default choice first. */
  algorithms(step: Step): string[]
  /** By how many bytes `bytes` begins behind a multiple of 64: the arenas of programs begin at one, an ArrayBuffer wherever its engine puts it. */
  misalignment(bytes: Uint8Array): number
  /** Runs register-only FMAs on `threads` threads for about `seconds`; returns operations per second (an FMA counts two). */
  probeFma(seconds: number, threads: number): number
  /**
   * Streams a = b + s·c over `bytes` per array, all threads together, on `threads` threads; returns bytes moved per second (three arrays counted).
   * `pastCaches`: with stores that don't read what they overwrite (non-temporal ones), where the instruction set has such.
   */
  probeTriad(bytes: number, threads: number, pastCaches?: boolean): number
}
