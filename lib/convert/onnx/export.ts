import { checkOptions, invalid } from '../../check'
import { ConvlaneError } from '../../errors'
import { labelOf, nodeOf } from '../../graph/apply'
import { inputValue } from '../../graph/sources'
import type { Value } from '../../graph/value'
import { writeAtomically } from '../../io/atomic-file'
import { type Architecture, buildGraph, type InputEnd } from '../../model/architecture'
import { Model } from '../../model/model'
import { checkChoice, checkInteger } from '../../shape'
import type { WeightsOptions } from '../../train/options'
import { firstOrder } from './arrange'
import { CLASS_NAMES, filePieces, LAYOUT, NORMALIZE } from './file'
import { writeLayer } from './layers'
import { linearMap, operators } from './operators'
import { dataTypes, type NewValueInfo, OLDEST_OPSET, OPSET } from './schema'
import { type Form, int, Writer } from './writer'

/** Options of {@link exportOnnx}. */
export interface ExportOnnxOptions extends WeightsOptions {
  /**
   * How the file's inputs and outputs of three axes or more lie: `'nchw'` with the channels before the axes of the image, `[N, C, H, W]` (`[N, C, L]`, `[N, C, D, H, W]`), as what
   * reads such files mostly expects, or `'nhwc'`, as `predict` takes them. Default `'nchw'`.
   */
  readonly layout?: 'nchw' | 'nhwc'
  /**
   * What the file's inputs take: `'float32'`, the numbers that the network sees, or `'uint8'`, bytes as `predict` takes them, scaled within the file by what the model was
   * trained with (else by 1/255). Default `'float32'`.
   */
  readonly input?: 'float32' | 'uint8'
  /** The operator set that the file is written in, from 21 on: a lower one for what reads no newer. Default 26, the newest that ONNX Runtime 1.30 supports. */
  readonly opset?: number
}

/**
 * Writes a model as an ONNX file, for ONNX Runtime and the like: the network as `predict` runs it, with batches of any size (the axis `N`). Inputs, outputs and weights
 * keep their names, and the weights their bits: kernels lie in another order, nothing is folded. Layers of your own go along, being made of ops. The same model gives the
 * same bytes. The file appears whole or not at all.
 *
 * The file's metadata has, as JSON, `classNames` and `normalize` (how bytes become what the inputs take: `{ [input]: { scale, offset } }`), where the model has these, and `layout`.
 * @param file a path, as `model.onnx`
 * @throws INVALID_ARGUMENT; UNSUPPORTED for what ONNX has not, naming the op and the layer, and for more than 2 GiB; DISPOSED; FILE_ERROR
 */
export async function exportOnnx<X, Y>(model: Model<X, Y>, file: string, options: ExportOnnxOptions = {}): Promise<void> {
  if (typeof file !== 'string' || file === '') throw invalid('exportOnnx', 'file', 'a path', file)
  await writeAtomically(file, await onnxPieces(model, options))
}

/** The bytes of the file, piece by piece. */
export async function onnxPieces<X, Y>(model: Model<X, Y>, options: ExportOnnxOptions = {}): Promise<Iterable<Uint8Array>> {
  if (!(model instanceof Model)) throw invalid('exportOnnx', 'model', 'a model', model)
  checkOptions('exportOnnx', options, ['layout', 'input', 'opset', 'weights'])
  const { layout = 'nchw', input = 'float32', opset = OPSET, ...which } = options
  checkChoice(layout, ['nchw', 'nhwc'], 'exportOnnx', 'layout')
  checkChoice(input, ['float32', 'uint8'], 'exportOnnx', 'input')
  checkInteger(opset, 'exportOnnx', 'opset', OLDEST_OPSET, OPSET)
  const { architecture, classNames } = model
  const weights = await model.getWeights(which)
  const names = [...architecture.inputs, ...architecture.outputs].map(({ name }) => name)
  const writer = new Writer(weights, opset, names[0]!, names)
  const isBytes = input === 'uint8'
  const ends = writeNetwork(writer, architecture, layout === 'nchw' ? 'first' : 'last', isBytes)
  const scaled = architecture.inputs.filter(({ normalize }) => normalize && !isBytes)
  const metadata = {
    [LAYOUT]: layout,
    ...(scaled.length > 0 && { [NORMALIZE]: JSON.stringify(Object.fromEntries(scaled.map(({ name, normalize }) => [name, normalize]))) }),
    ...(classNames && { [CLASS_NAMES]: JSON.stringify(classNames) }),
  }
  const { nodes, initializers } = writer
  return filePieces({ opset, nodes, initializers, ...ends, metadata })
}

interface Ends {
  readonly inputs: readonly NewValueInfo[]
  readonly outputs: readonly NewValueInfo[]
}

function writeNetwork(w: Writer, architecture: Architecture, form: Form, bytes: boolean): Ends {
  const { inputs, calls, layers, outputs } = architecture
  const values = inputs.map(({ name, shape }) => inputValue(name, [null, ...shape]))
  inputs.forEach((end, index) => {
    w.label = end.name
    w.set(values[index]!, form, bytes ? scaledBytes(w, end, form) : end.name)
  })
  const { places, parameters } = buildGraph(architecture, values, false)
  calls.forEach(({ layer, inputs: from }, index) => {
    const placed = layers[layer]!
    const value = places[inputs.length + index]!
    w.label = placed.name
    if (!writeLayer(w, placed, parameters, places[from[0]!]!, value)) writeValue(w, value, labelOf(placed.layer.type, placed.name))
  })
  const made = outputs.map(({ name, place }) => {
    w.label = name
    return w.get(places[place]!, form)
  })
  const names = nameOutputs(
    w,
    made,
    outputs.map(({ name }) => name),
    inputs.map(({ name }) => name),
  )
  return {
    inputs: inputs.map(({ name, shape }) => valueInfo(name, shape, form, bytes ? dataTypes.uint8 : dataTypes.float32)),
    outputs: outputs.map(({ shape }, index) => valueInfo(names[index]!, shape, form, dataTypes.float32)),
  }
}

/** Writes what computes a value, each op after those that it reads. Iterative: a layer of one's own may be any number of ops. */
function writeValue(w: Writer, value: Value, label: string): void {
  const stack = [value]
  while (stack.length > 0) {
    const top = stack.at(-1)!
    const node = nodeOf(top)
    if (w.isKnown(top) || !node) {
      stack.pop()
      continue
    }
    const waiting = node.inputs.filter((input) => input && !w.isKnown(input)) as Value[]
    if (waiting.length > 0) {
      stack.push(...waiting)
      continue
    }
    const { name } = node.op
    if (!Object.hasOwn(operators, name)) {
      throw new ConvlaneError('UNSUPPORTED', `exportOnnx: ${label}: ONNX has no word for its op ${name}`, { received: name })
    }
    operators[name]!(w, node)
    stack.pop()
  }
}

function scaledBytes(w: Writer, { name, shape, normalize = { scale: 1 / 255, offset: 0 } }: InputEnd, form: Form): string {
  const numbers = w.node('Cast', [name], { to: int(dataTypes.float32) })
  const list = (value: number | readonly number[]) => (typeof value === 'number' ? [value] : value)
  return linearMap(w, numbers, list(normalize.scale), list(normalize.offset), form === 'first' ? shape.length + 1 : 0)
}

function valueInfo(name: string, shape: readonly number[], form: Form, elemType: number): NewValueInfo {
  const all = [null, ...shape]
  const order = form === 'first' ? firstOrder(all.length) : all.map((_, axis) => axis)
  const dim = order.map((axis) => (all[axis] === null ? { dimParam: 'N' } : { dimValue: BigInt(all[axis]!) }))
  return { name, type: { tensorType: { elemType, shape: { dim } } } }
}

/**
 * Gives what was made the names of the outputs, where no input has them: nodes that make one get its name; a value that is two outputs, and an input that is one, are copied.
 * @returns the names
 */
function nameOutputs(w: Writer, made: readonly string[], wanted: readonly string[], inputs: readonly string[]): string[] {
  const renamed = new Map<string, string>()
  const isMade = new Set(w.nodes.flatMap(({ output }) => output ?? []))
  const names = made.map((value, index) => {
    const name = inputs.includes(wanted[index]!) ? w.unique(wanted[index]!) : wanted[index]!
    w.label = name
    renamed.set(isMade.has(value) && !renamed.has(value) ? value : w.node('Identity', [value]), name)
    return name
  })
  w.nodes.forEach((node, index) => {
    const rename = (of: readonly string[] = []) => of.map((name) => renamed.get(name) ?? name)
    w.nodes[index] = { ...node, input: rename(node.input), output: rename(node.output) }
  })
  return names
}
