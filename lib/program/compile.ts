import type { ProgramSpec } from '../../binding'
import type { Value } from '../graph/value'
import type { Attributes } from '../ops/op'
import type { StateLayout } from './state-layout'

/** One optimizer update over parameters, run after everything else under the state's write lock. */
export interface Updates {
  /**
   * Gradient of the loss by parameter name (`gradients` of lib/graph/gradients.ts gives them). A parameter that is not in the map is
   * frozen: nothing touches it. `undefined`: the loss doesn't depend on it; its gradient is zero (weight decay and momentum still act).
   */
  readonly gradients: ReadonlyMap<string, Value | undefined>
  /** `slots` are operand names of the step (`['velocity']` or `[]` for sgd, `['m', 'v']` for adam), and names of slots of the layout. */
  readonly optimizer: { readonly op: 'sgd' | 'adam'; readonly attributes: Attributes; readonly slots: readonly string[] }
}

export interface CompileOptions {
  /** The values that the inputs of `run` are bound to, in that order: of `inputValue`. Labels and targets too. May hold some that nothing reads. */
  readonly inputs: readonly Value[]
  /** What `run` gives back, in order. */
  readonly outputs: readonly Value[]
  readonly updates?: Updates
  /** Where the values of `parameterValue` lie. A program that reads no parameter takes `stateLayout([])`. */
  readonly layout: StateLayout
  /** Largest batch size. */
  readonly capacity: number
  readonly lane: 'train' | 'infer'
}

export interface CompiledProgram {
  readonly spec: ProgramSpec
  /** The name of the layer that each step of `spec.steps` comes from, where there is one. */
  readonly labels: readonly (string | undefined)[]
}

/**
 * Compiles the outputs, and updates if any, into a flat list of steps over one arena: what nothing reads is left out, reshapes become
 * aliases, single-use activations are fused, elementwise results overwrite inputs that die, and memory is shared by liveness.
 *
 * Throws `INVALID_ARGUMENT` for a capacity that isn't a positive integer, an input or parameter that isn't declared, and an update of a
 * parameter or slot that the layout doesn't have; `INVALID_SHAPE` when a gradient's shape isn't its parameter's.
 */
export declare function compileProgram(options: CompileOptions): CompiledProgram
