import { gradients } from '../graph/gradients'
import { inputValue } from '../graph/sources'
import type { Value } from '../graph/value'
import { l2Norm } from '../ops/clip'
import { normalize } from '../ops/normalize'
import { scale } from '../ops/scale'
import { type CompiledProgram, compileProgram } from '../program/compile'
import { withPreparation } from '../program/preparation'
import { type Augmentation, preparationOf } from '../train/augmentation'
import { clipGradients, totalNorm } from '../train/clip'
import type { Form } from '../train/data'
import { measure, type Objective } from '../train/objective'
import { type Architecture, buildGraph, type GraphOf, trainedNames } from './architecture'
import type { Plan } from './engine'

/** What a program is made for beside the model: the forms of its inputs and the largest batch. */
export interface Case {
  readonly x: readonly Form[]
  readonly y: readonly Form[]
  /** Whether samples have weights, for each output. */
  readonly w?: readonly boolean[]
  readonly capacity: number
  /** Of training: what is done to a batch before. */
  readonly augment?: Augmentation | undefined
}

const keyOf = (mode: string, { x, y, w = [], capacity, augment }: Case): string => JSON.stringify([mode, capacity, x, y, w, augment])

const valuesOf = (forms: readonly Form[], name: string): Value[] =>
  forms.map(({ shape, dtype }, index) => inputValue(`${name}${index}`, [null, ...shape], dtype))

/** The samples' weights of the outputs that have some. */
const weightsIn = ({ w = [] }: Pick<Case, 'w'>): (Value | undefined)[] =>
  w.map((isWeighted, index) => (isWeighted ? inputValue(`weights${index}`, [null]) : undefined))

/** Inputs of a program: those that there are, in order. */
const bound = (x: readonly Value[], y: readonly Value[], w: readonly (Value | undefined)[]): Value[] => [
  ...x,
  ...y,
  ...w.flatMap((value) => value ?? []),
]

/** Bytes, and what was made of them before, become what the network sees in the program's first steps. */
const asFloats = (values: readonly Value[], forms: readonly Form[]): Value[] =>
  values.map((value, index) => (forms[index]!.normalize ? normalize(value, forms[index]!.normalize) : value))

/** The forms that the graph is built for, and what makes a program of it that takes those that were given. */
function prepare(
  objective: Objective,
  { x, y, w = [], augment }: Case,
): { forms: Pick<Case, 'x' | 'y'>; finish: (compiled: CompiledProgram) => CompiledProgram } {
  if (!augment) return { forms: { x, y }, finish: (compiled) => compiled }
  const classes = objective.outputs.map(({ end }) => end.shape.at(-1)!)
  const preparation = preparationOf(augment, x, y, classes, w.filter(Boolean).length)
  return { forms: preparation, finish: (compiled) => withPreparation(compiled, preparation.given) }
}

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

/** Gives what `measure` does: the total loss, then the objective's reports. */
export function evaluatePlan(architecture: Architecture, objective: Objective, given: Case): Plan {
  return {
    key: keyOf(`evaluate ${objective.id}`, given),
    compile(layout) {
      const [x, y, w] = [valuesOf(given.x, 'x'), valuesOf(given.y, 'y'), weightsIn(given)]
      const { outputs } = buildGraph(architecture, asFloats(x, given.x), false)
      const measured = measure(objective, outputs, y, w)
      return compileProgram({ inputs: bound(x, y, w), outputs: measured, layout, capacity: given.capacity, lane: 'infer' })
    },
  }
}

interface Backward {
  readonly finish: (compiled: CompiledProgram) => CompiledProgram
  readonly graph: GraphOf
  readonly inputs: readonly Value[]
  readonly measured: readonly Value[]
  /** Of the loss, by trained parameter. */
  readonly gradients: ReadonlyMap<string, Value | undefined>
}

function backward(architecture: Architecture, objective: Objective, given: Case): Backward {
  const { forms, finish } = prepare(objective, given)
  const [x, y, w] = [valuesOf(forms.x, 'x'), valuesOf(forms.y, 'y'), weightsIn(given)]
  const graph = buildGraph(architecture, asFloats(x, forms.x), true)
  const measured = measure(objective, graph.outputs, y, w)
  const trained = trainedNames(architecture)
  const by = gradients(
    [{ of: measured[0]! }],
    trained.map((name) => graph.parameters.get(name)!),
  )
  return { finish, graph, inputs: bound(x, y, w), measured, gradients: new Map(trained.map((name, index) => [name, by[index]])) }
}

/**
 * Gives the same as `evaluatePlan`, of the weights before the step, then the norm of all gradients, where there are any, and updates the weights, unless loss
 * or norm is not finite.
 */
export function trainPlan(architecture: Architecture, objective: Objective, given: Case): Plan {
  return {
    key: keyOf('train', given),
    compile(layout) {
      const { finish, graph, inputs, measured, gradients: found } = backward(architecture, objective, given)
      const norm = totalNorm(found)
      const { type, attributes, slots, clip } = objective.optimizer
      const compiled = compileProgram({
        inputs,
        outputs: norm ? [...measured, norm] : measured,
        updates: {
          gradients: clipGradients(found, norm, clip),
          guards: norm ? [0, measured.length] : [0],
          optimizer: { op: type, attributes, slots },
          averages: graph.averages,
        },
        layout,
        capacity: given.capacity,
        lane: 'train',
      })
      return finish(compiled)
    },
  }
}

/** Gives the gradients of the loss by the trained parameters, in their order; zeros where it does not depend on one. */
export function gradientPlan(architecture: Architecture, objective: Objective, given: Case): Plan {
  return {
    key: keyOf('gradients', given),
    compile(layout) {
      const { finish, graph, inputs, gradients: found } = backward(architecture, objective, given)
      const outputs = [...found].map(([name, gradient]) => gradient ?? scale(graph.parameters.get(name)!, 0))
      return finish(compileProgram({ inputs, outputs, layout, capacity: given.capacity, lane: 'train' }))
    },
  }
}

/** What is looked at to find where a number that is not finite comes from: the norms of everything, in the order of the computation. */
export interface Diagnosis {
  readonly plan: Plan
  /** What each output is the norm of. */
  readonly names: readonly string[]
}

export function diagnosis(architecture: Architecture, objective: Objective, given: Case): Diagnosis {
  const { inputs, calls, layers } = architecture
  const trace = () => {
    const made = backward(architecture, objective, given)
    const { places, parameters } = made.graph
    const traced: [name: string, value: Value][] = inputs.map(({ name }, place) => [`the input "${name}"`, places[place]!])
    const seen = new Set<number>()
    calls.forEach(({ layer: index }, call) => {
      const { name, parameters: own } = layers[index]!
      if (!seen.has(index)) for (const parameter of own) traced.push([`the weights "${parameter.name}"`, parameters.get(parameter.name)!])
      seen.add(index)
      traced.push([`the layer "${name}"`, places[inputs.length + call]!])
    })
    traced.push(['the loss', made.measured[0]!])
    for (const [name, gradient] of [...made.gradients].reverse()) if (gradient) traced.push([`the gradient of "${name}"`, gradient])
    return { ...made, traced }
  }
  return {
    names: trace().traced.map(([name]) => name),
    plan: {
      key: keyOf('diagnosis', given),
      compile(layout) {
        const { finish, inputs: all, traced } = trace()
        const outputs = traced.map(([, value]) => l2Norm([value]))
        return finish(compileProgram({ inputs: all, outputs, layout, capacity: given.capacity, lane: 'train' }))
      },
    },
  }
}
