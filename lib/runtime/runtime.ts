import type { Program as NativeProgram, State as NativeState, ProgramSpec } from '../../binding'

/** Weights, optimizer slots and statistics of one model, owned by a runtime. */
export type State = Omit<NativeState, 'share'> & {
  /** Where states can be shared between threads. */
  share?(): string
  /** All of it as it is, where elements are more than float32: two of these for each. */
  readBits?(): Promise<Float32Array>
  writeBits?(bits: Float32Array): Promise<void>
}
/** A compiled program, owned by a runtime. */
export type Program = Omit<NativeProgram, 'profile'> & Partial<Pick<NativeProgram, 'profile'>>

/** What executes programs. Both runtimes take the same `ProgramSpec` and differ in nothing but the kernels. */
export interface Runtime {
  readonly name: 'native' | 'reference'
  createState(elements: number): State
  /** The state that another thread shares by this id. Absent where none can. */
  adoptState?(id: string): State
  createProgram(spec: ProgramSpec, state?: State): Program
}
