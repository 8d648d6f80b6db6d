import type { Binding, Operand, ProgramSpec, Space } from '../../binding'

export const binary: string
export const native: Binding
export const root: string
export function operand(space: Space, offset: number, shape: readonly number[], options?: Partial<Operand>): Operand
export function layout(space: Space): { add(shape: readonly number[], options?: Partial<Operand>): Operand; readonly elements: number }

export interface Sample {
  readonly stateElements: number
  readonly spec: ProgramSpec
}
export function regression(capacity?: number, lane?: 'train' | 'infer'): Sample
export function heavy(count: number, options?: { lane?: 'train' | 'infer'; size?: number; update?: boolean; updates?: number }): Sample
export function product(capacity: number): ProgramSpec
