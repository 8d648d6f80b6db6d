import type { ProgramSpec, Step } from '../../binding'
import type { OpCase } from '../support/opCase'

function* texts(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) yield* texts(inner)
}

const usual = [
  '',
  'x',
  '1',
  '__proto__',
  'constructor',
  'float32',
  'int32',
  'uint8',
  'arena',
  'state',
  'kept',
  'input',
  'buffer',
  'train',
  'infer',
]
const algorithms = ['auto', 'noWinograd', 'im2col', 'indirect', 'direct', 'winograd', 'winograd2', 'winograd4', 'winograd6']

/** Texts that mean something to the addon: ops, activations, rules, spaces, types, algorithms. */
export const wordsOf = (samples: readonly (OpCase | Step | ProgramSpec)[]): readonly string[] => [
  ...new Set([
    ...usual,
    ...algorithms,
    ...samples.flatMap((sample) => ('attributes' in sample ? [sample.op, ...texts(sample.attributes)] : [...texts(sample)])),
  ]),
]
