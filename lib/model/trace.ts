import { inputValue } from '../graph/sources'
import { normalize } from '../ops/normalize'
import { compileProgram } from '../program/compile'
import type { Tensor } from '../tensor'
import type { Column } from '../train/data'
import { type Architecture, buildGraph } from './architecture'
import type { Engine, Plan } from './engine'
import { largestChunk, predict } from './predict'

/** Gives what every call of a layer gives, in the order of the calls: as `predict` computes it, but for what that takes together. */
function tracePlan(architecture: Architecture, x: readonly Column[], capacity: number): Plan {
  const forms = x.map(({ form }) => form)
  return {
    key: JSON.stringify(['trace', capacity, forms]),
    compile(layout) {
      const inputs = forms.map(({ shape, dtype }, index) => inputValue(`x${index}`, [null, ...shape], dtype))
      const floats = inputs.map((value, index) => (forms[index]!.normalize ? normalize(value, forms[index]!.normalize) : value))
      const { places } = buildGraph(architecture, floats, false)
      return compileProgram({ inputs, outputs: places.slice(inputs.length), layout, capacity, lane: 'infer' })
    },
  }
}

/** What every call gives for the samples, `[N, …]`. */
export function trace(
  engine: Engine,
  architecture: Architecture,
  samples: { readonly n: number; readonly x: readonly Column[] },
): Promise<Tensor[]> {
  const capacity = Math.min(samples.n, 16, largestChunk(architecture))
  const ends = architecture.calls.map(({ shape }) => ({ name: '', shape: shape.slice(1) as number[] }))
  return predict(engine, tracePlan(architecture, samples.x, capacity), capacity, samples, ends)
}
