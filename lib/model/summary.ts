import { inspect } from 'node:util'
import { nodeOf } from '../graph/apply'
import type { OpNode } from '../graph/node'
import { inputValue } from '../graph/sources'
import type { Value } from '../graph/value'
import type { Parameter } from '../layers/layer'
import { shapeText } from '../shape'
import { textTable } from '../text-table'
import { type Architecture, buildGraph } from './architecture'

/** One use of a layer. */
export interface LayerSummary {
  /** Unique within the model. */
  readonly name: string
  /** Kind of layer: `conv2d`. */
  readonly type: string
  /** Of the layers that have one. */
  readonly activation?: string
  /** `null` is the batch. */
  readonly outputShape: readonly (number | null)[]
  /** Trained numbers, statistics not among them; 0 where a layer comes up again. */
  readonly parameters: number
  /** Multiplications with addition for one sample, forward. */
  readonly multiplyAdds: number
}

/** Native memory that the model needs, in bytes. What it takes now is `model.memory()`. */
export interface SummaryMemory {
  /** Of the weights and statistics alone. */
  readonly weightBytes: number
  /** Of the weights, each at a multiple of 64 bytes, and the optimizer's slots. */
  readonly stateBytes: number
  /** Of what lies between the layers in a step of training (in `predict`, where `profile` would time that), without scratch memory of the kernels. */
  readonly arenaBytes: number
  /** For this many samples in a step. */
  readonly batchSize: number
}

/** What a model consists of. Prints as a table. */
export class Summary {
  constructor(
    /** Names and shapes of the inputs; `null` is the batch. */
    readonly inputs: readonly { readonly name: string; readonly shape: readonly (number | null)[] }[],
    /** In the order in which they run. */
    readonly layers: readonly LayerSummary[],
    /** In bytes, estimated before anything is allocated. */
    readonly memory: SummaryMemory,
  ) {}

  /** All trained numbers. */
  get parameters(): number {
    return this.layers.reduce((sum, { parameters }) => sum + parameters, 0)
  }

  /** For one sample, forward. */
  get multiplyAdds(): number {
    return this.layers.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0)
  }

  /** A table: a row for each layer, and the totals. */
  toString(): string {
    const rows = [
      ...this.inputs.map(({ name, shape }) => [name, 'input', shapeText(shape), '', '']),
      ...this.layers.map(({ name, type, outputShape, parameters, multiplyAdds }) => [
        name,
        type,
        shapeText(outputShape),
        parameters.toLocaleString('en'),
        multiplyAdds.toLocaleString('en'),
      ]),
      ['total', '', '', this.parameters.toLocaleString('en'), this.multiplyAdds.toLocaleString('en')],
    ]
    const { weightBytes, stateBytes, arenaBytes, batchSize } = this.memory
    const memory = `weights ${bytesText(weightBytes)}, with optimizer slots ${bytesText(stateBytes)}; arena for ${batchSize} samples ${bytesText(arenaBytes)}`
    return `${textTable(['layer', 'type', 'output', 'parameters', 'multiply-adds'], rows, [3, 4])}\n${memory}`
  }

  /** The table, for `console.log`. */
  [inspect.custom](): string {
    return this.toString()
  }
}

/** @param memory of state and arena */
export function summarize(architecture: Architecture, memory: Omit<SummaryMemory, 'weightBytes'>): Summary {
  const inputs = architecture.inputs.map(({ name, shape }) => ({ name, shape: [null, ...shape] }))
  const { places } = buildGraph(
    architecture,
    inputs.map(({ name, shape }) => inputValue(name, shape)),
    false,
  )
  const counted = new Set<OpNode>()
  const first = new Set<number>()
  const layers = architecture.calls.map((call, index): LayerSummary => {
    const { layer, name, parameters } = architecture.layers[call.layer]!
    const { activation } = layer.config()
    const fresh = !first.has(call.layer)
    first.add(call.layer)
    return {
      name,
      type: layer.type,
      ...(typeof activation === 'string' && { activation }),
      outputShape: call.shape,
      parameters: fresh ? elementsOf(parameters.filter(({ trained = true }) => trained)) : 0,
      multiplyAdds: multiplyAdds(places[inputs.length + index]!, counted),
    }
  })
  const elements = architecture.layers.reduce((sum, { parameters }) => sum + elementsOf(parameters), 0)
  return new Summary(inputs, layers, { weightBytes: elements * 4, ...memory })
}

function elementsOf(parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)
}

/** Of the ops that lead to a value and are not counted yet: those of one layer, when called in the order of the layers. */
function multiplyAdds(value: Value, counted: Set<OpNode>): number {
  let sum = 0
  const left = [value]
  for (let next = left.pop(); next; next = left.pop()) {
    const node = nodeOf(next)
    if (!node || counted.has(node)) continue
    counted.add(node)
    sum += node.op.multiplyAdds?.(node.inputs, node.outputs, node.attributes) ?? 0
    for (const input of node.inputs) if (input) left.push(input)
  }
  return sum
}

function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 2 ** (10 * power)
  return `${power === 0 ? value : value.toPrecision(3)} ${units[power]}`
}
