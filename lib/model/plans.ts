import { gradients } from '../graph/gradients'
import { inputValue, parameterValue } from '../graph/sources'
import type { Value } from '../graph/value'
import { add } from '../ops/add'
import { l2Norm } from '../ops/clip'
import { constrainAttributes } from '../ops/constrain'
import { normalize } from '../ops/normalize'
import { scale } from '../ops/scale'
import { type CompiledProgram, compileProgram, type Updates } from '../program/compile'
import { withPreparation } from '../program/preparation'
import { type StateLayout, slotLayout } from '../program/state-layout'
import { type Augmentation, preparationOf } from '../train/augmentation'
import type { Batch } from '../train/batches'
import { clipGradients, totalNorm } from '../train/clip'
import type { Form } from '../train/data'
import { groupAttributes } from '../train/groups'
import { likelyForm, measure, type Objective } from '../train/objective'
import { activityPenalty, addPenaltyGradient, type Penalty, weightPenalty } from '../train/penalties'
import { type Architecture, buildGraph, type GraphOf } from './architecture'
import type { Plan } from './engine'
import { trainedNames } from './frozen'

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

const keyOf = (mode: string, { x, y, w = [], capacity, augment }: Case, frozen: ReadonlySet<string> = new Set()): string =>
  JSON.stringify([mode, capacity, x, y, w, augment, [...frozen].sort()])

/** What a batch is a case of. */
export const caseOf = ({ x, y, w }: Batch, capacity: number): Case => ({ x, y, w, capacity })

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

/** The plan with the moving averages of the weights in their place. */
export function averaged(plan: Plan): Plan {
  return { key: `${plan.key} of averages`, compile: (layout) => plan.compile(slotLayout(layout, 'average')) }
}

/** The trained weights that add to the loss, by name. */
function weightPenalties({ layers }: Architecture, trained: readonly string[], { parameters }: GraphOf): Map<string, Penalty> {
  return new Map(
    layers
      .flatMap((layer) => layer.parameters)
      .flatMap(({ name, regularizer }) =>
        regularizer && trained.includes(name) ? [[name, { value: parameters.get(name)!, regularizer }] as const] : [],
      ),
  )
}

const plus = (value: Value, more: Value | undefined): Value => (more ? add(value, more) : value)

/** Gives what `measure` does: the total loss, then the objective's reports. */
export function evaluatePlan(architecture: Architecture, objective: Objective, given: Case): Plan {
  return {
    key: keyOf(`evaluate ${objective.id}`, given, architecture.frozen),
    compile(layout) {
      const [x, y, w] = [valuesOf(given.x, 'x'), valuesOf(given.y, 'y'), weightsIn(given)]
      const graph = buildGraph(architecture, asFloats(x, given.x), false)
      const [loss, ...reports] = measure(objective, graph.outputs, y, w)
      const penalties = weightPenalties(architecture, trainedNames(architecture), graph)
      const total = plus(plus(loss!, activityPenalty(graph.activities)), weightPenalty([...penalties.values()]))
      return compileProgram({ inputs: bound(x, y, w), outputs: [total, ...reports], layout, capacity: given.capacity, lane: 'infer' })
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
  const [loss, ...reports] = measure(objective, graph.outputs, y, w)
  const trained = trainedNames(architecture)
  const differentiable = plus(loss!, activityPenalty(graph.activities))
  const by = gradients(
    [{ of: differentiable }],
    trained.map((name) => graph.parameters.get(name)!),
  )
  const penalties = weightPenalties(architecture, trained, graph)
  const penalized = trained.map((name, index) => {
    const penalty = penalties.get(name)
    return [name, penalty ? addPenaltyGradient(by[index], penalty) : by[index]] as const
  })
  const total = plus(differentiable, weightPenalty([...penalties.values()]))
  return { finish, graph, inputs: bound(x, y, w), measured: [total, ...reports], gradients: new Map(penalized) }
}

/** What an update does beside the gradients' part. */
function updatesOf(architecture: Architecture, objective: Objective, found: ReadonlyMap<string, Value | undefined>) {
  const { optimizer, groups, ema } = objective
  const { type, attributes, slots } = optimizer
  const parameters = architecture.layers.flatMap((layer) => layer.parameters)
  return {
    optimizer: { op: type, attributes, slots, attributesOf: (name: string) => groupAttributes(groups, name) },
    constraints: parameters.flatMap(({ name, shape, constraint, incoming }) =>
      constraint && found.has(name) ? [{ parameter: name, attributes: constrainAttributes(constraint, shape, incoming) }] : [],
    ),
    follow: ema && { slot: 'average', share: 'emaShare' },
  } satisfies Partial<Updates>
}

/**
 * Gives the same as `evaluatePlan`, of the weights before the step, then the norm of all gradients, where there are any, and updates the weights, unless loss
 * or norm is not finite.
 */
export function trainPlan(architecture: Architecture, objective: Objective, given: Case): Plan {
  return {
    key: keyOf('train', given, architecture.frozen),
    compile(layout) {
      const { finish, graph, inputs, measured, gradients: found } = backward(architecture, objective, given)
      const norm = totalNorm(found)
      const compiled = compileProgram({
        inputs,
        outputs: norm ? [...measured, norm] : measured,
        updates: {
          ...updatesOf(architecture, objective, found),
          gradients: clipGradients(found, norm, objective.optimizer.clip),
          guards: norm ? [0, measured.length] : [0],
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

/** As `trainPlan`, but that gradients go into the slot `gradient`, by the share that the run says, and weights stay. */
export function accumulatePlan(architecture: Architecture, objective: Objective, given: Case): Plan {
  return {
    key: keyOf('accumulate', given, architecture.frozen),
    compile(layout) {
      const { finish, graph, inputs, measured, gradients: found } = backward(architecture, objective, given)
      const norm = totalNorm(found)
      const compiled = compileProgram({
        inputs,
        outputs: norm ? [...measured, norm] : measured,
        updates: {
          gradients: found,
          guards: norm ? [0, measured.length] : [0],
          optimizer: { op: objective.optimizer.type, attributes: {}, slots: [] },
          accumulate: { slot: 'gradient', share: 'share' },
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

/** Gives the norm of the gradients in the slot `gradient`, and updates the weights by them. */
export function applyPlan(architecture: Architecture, objective: Objective): Plan {
  return {
    key: keyOf('apply', { x: [], y: [], capacity: 1 }, architecture.frozen),
    compile(layout) {
      const names = trainedNames(architecture)
      const shapes = new Map(layout.parameters.map(({ name, shape }) => [name, shape]))
      const found = new Map(names.map((name) => [name, parameterValue(gradientName(name), shapes.get(name)!)]))
      const norm = totalNorm(found)!
      return compileProgram({
        inputs: [],
        outputs: [norm],
        updates: {
          ...updatesOf(architecture, objective, found),
          gradients: clipGradients(found, norm, objective.optimizer.clip),
          guards: [0],
        },
        layout: withGradients(layout, names),
        capacity: 1,
        lane: 'train',
      })
    },
  }
}

/** Training on targets as they last were or are likely to be; predicting, before `compile` and before the first targets for a loss of the user's. */
export function likelyPlan(
  architecture: Architecture,
  objective: Objective | undefined,
  targets: readonly Form[] | undefined,
  capacity: number,
): { mode: 'train' | 'predict'; plan: Plan; given: Case } {
  const x = architecture.inputs.map(({ shape }): Form => ({ dtype: 'float32', shape }))
  const y = targets ?? objective?.outputs.flatMap((output) => likelyForm(output) ?? [])
  if (!objective || y!.length < objective.outputs.length) {
    const given = { x, y: [], capacity }
    return { mode: 'predict', plan: predictPlan(architecture, given), given }
  }
  const given = { x, y: y!, capacity }
  const train = objective.accumulate > 1 ? accumulatePlan : trainPlan
  return { mode: 'train', plan: train(architecture, objective, given), given }
}

const gradientName = (name: string): string => `gradient of ${name}`

/** The layout in which the accumulated gradients have names, too. */
function withGradients(layout: StateLayout, names: readonly string[]): StateLayout {
  const slot = layout.slots.gradient!
  const entries = layout.parameters.filter(({ name }) => names.includes(name))
  const gradientEntries = entries.map((entry) => ({ ...entry, name: gradientName(entry.name), offset: entry.offset + slot }))
  return { ...layout, parameters: [...layout.parameters, ...gradientEntries] }
}

/** Gives the gradients of the loss by the trained parameters, in their order; zeros where it does not depend on one. */
export function gradientPlan(architecture: Architecture, objective: Objective, given: Case): Plan {
  return {
    key: keyOf('gradients', given, architecture.frozen),
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
      key: keyOf('diagnosis', given, architecture.frozen),
      compile(layout) {
        const { finish, inputs: all, traced } = trace()
        const outputs = traced.map(([, value]) => l2Norm([value]))
        return finish(compileProgram({ inputs: all, outputs, layout, capacity: given.capacity, lane: 'train' }))
      },
    },
  }
}
