import { gradients } from '../graph/gradients'
import { inputValue } from '../graph/sources'
import type { Value } from '../graph/value'
import { normalize } from '../ops/normalize'
import { compileProgram } from '../program/compile'
import { clipGradients } from '../train/clip'
import type { Form } from '../train/data'
import { measure, type Objective } from '../train/objective'
import { type Architecture, buildGraph } from './architecture'
import type { Plan } from './engine'

/** What a program is made for beside the model: the forms of its inputs and the largest batch. */
export interface Case {
  readonly x: readonly Form[]
  readonly y: readonly Form[]
  readonly capacity: number
}

const keyOf = (mode: string, { x, y, capacity }: Case): string => JSON.stringify([mode, capacity, x, y])

const valuesOf = (forms: readonly Form[], name: string): Value[] =>
  forms.map(({ shape, dtype }, index) => inputValue(`${name}${index}`, [null, ...shape], dtype))

/** Bytes become float32 in the program's first steps. */
const asFloats = (values: readonly Value[], forms: readonly Form[]): Value[] =>
  values.map((value, index) => (forms[index]!.dtype === 'uint8' ? normalize(value, forms[index]!.normalize) : value))

/** Gives the model's outputs. */
export function predictPlan(architecture: Architecture, given: Case): Plan {
  return {
    key: keyOf('predict', given),
    compile(layout) {
      const inputs = valuesOf(given.x, 'x')
      const { outputs } = buildGraph(architecture, asFloats(inputs, given.x), false)
      return compileProgram({ inputs, outputs, layout, capacity: given.capacity, lane: 'infer' })
    },
  }
}

/** Gives the total loss, then the objective's reports. */
export function evaluatePlan(architecture: Architecture, objective: Objective, given: Case): Plan {
  return {
    key: keyOf('evaluate', given),
    compile(layout) {
      const [x, y] = [valuesOf(given.x, 'x'), valuesOf(given.y, 'y')]
      const { outputs } = buildGraph(architecture, asFloats(x, given.x), false)
      const measured = measure(objective, outputs, y)
      return compileProgram({ inputs: [...x, ...y], outputs: measured, layout, capacity: given.capacity, lane: 'infer' })
    },
  }
}

/** Gives the same as `evaluatePlan`, of the weights before the step, and updates them. */
export function trainPlan(architecture: Architecture, objective: Objective, given: Case): Plan {
  return {
    key: keyOf('train', given),
    compile(layout) {
      const [x, y] = [valuesOf(given.x, 'x'), valuesOf(given.y, 'y')]
      const { outputs, parameters } = buildGraph(architecture, asFloats(x, given.x), true)
      const measured = measure(objective, outputs, y)
      const by = gradients([{ of: measured[0]! }], [...parameters.values()])
      const { type, attributes, slots, clip } = objective.optimizer
      return compileProgram({
        inputs: [...x, ...y],
        outputs: measured,
        updates: {
          gradients: clipGradients(new Map([...parameters.keys()].map((name, index) => [name, by[index]])), clip),
          optimizer: { op: type, attributes, slots },
        },
        layout,
        capacity: given.capacity,
        lane: 'train',
      })
    },
  }
}
