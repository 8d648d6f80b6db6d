import { basename } from 'node:path'
import { checkOptions, invalid } from '../../check'
import type { Normalize, Samples } from '../../data/dataset'
import { readWhole } from '../../io/files'
import { checkSampleShape, input, type Node } from '../../layers/node'
import { architectureOf } from '../../model/architecture'
import { checkClassNames } from '../../model/classNames'
import { Model, type ModelOptions } from '../../model/model'
import { checkChoice } from '../../shape'
import type { Tensor } from '../../tensor'
import { firstOrder, lastOrder } from './arrange'
import { CLASS_NAMES, LAYOUT, NORMALIZE } from './file'
import { Call } from './import/call'
import { readExternal } from './import/external'
import { Failure } from './import/failure'
import { fold, isFoldable } from './import/fold'
import { Importer, inFile, isView } from './import/importer'
import { operators } from './import/operators'
import { isFloatType, typeName } from './import/tensor'
import { plainView, viewInOrder } from './import/view'
import { dataTypes, type GraphProto, type ModelProto, type NodeProto, OPSET, onnx, type ValueInfoProto } from './schema'

/** Options of {@link importOnnx}. */
export interface ImportOnnxOptions extends ModelOptions {
  /**
   * Sizes of one sample as `predict` takes it, channels last: `[224, 224, 3]`; of several inputs an object by their names in the file. Needed where the file leaves
   * sizes open. Default: as the file says.
   */
  readonly input?: readonly number[] | Readonly<Record<string, readonly number[]>>
  /**
   * How inputs and outputs of three axes or more lie in the file: `'nchw'`, the channels before the axes of the image, or `'nhwc'`. Default: as `exportOnnx` wrote; else
   * `'nhwc'` where the first thing that happens to inputs is that their channels are brought to the front, as TensorFlow's converters do; else `'nchw'`.
   */
  readonly layout?: 'nchw' | 'nhwc'
  /**
   * What bytes become: value · scale + offset, each one number or one per channel. Default: what `exportOnnx` wrote; else bytes stay as they are where the file takes
   * uint8, and otherwise become 0 … 1.
   */
  readonly normalize?: Normalize
  /** Names of the classes that the model tells apart, by class number. Default: those that `exportOnnx` wrote, if any. */
  readonly classNames?: readonly string[]
}

const optionNames = ['input', 'layout', 'normalize', 'classNames', 'seed', 'runtime']

/** The oldest operator set that is read; the newest is the one that is written. */
const OLDEST = 9

/**
 * Reads an ONNX file as a model of layers: it predicts what the file says, with batches of any size, and can be trained on, saved and exported. Samples are channels
 * last, `[N, H, W, C]`, whatever the file has. The operators that convolutional networks are made of are understood, of operator sets 9 to 26 (a table is in
 * docs/onnx.md); float16 and float64 weights become float32.
 * @param file a path, or the bytes of a file
 * @throws UNSUPPORTED for what has no counterpart here, naming operator, node and attribute; INVALID_FILE for a file that is damaged, no ONNX model, or breaks
 *   the rules of its operators; FILE_ERROR; INVALID_ARGUMENT
 */
export async function importOnnx(file: string | Uint8Array, options: ImportOnnxOptions = {}): Promise<Model<Samples, Tensor>> {
  if (file === '' || !(typeof file === 'string' || file instanceof Uint8Array)) throw invalid('importOnnx', 'file', 'a path or bytes', file)
  checkOptions('importOnnx', options, optionNames)
  const { input: sizes, layout, normalize, classNames, ...modelOptions } = options
  if (layout !== undefined) checkChoice(layout, ['nchw', 'nhwc'], 'importOnnx', 'layout')
  const path = typeof file === 'string' ? file : undefined
  const bytes = typeof file === 'string' ? await readWhole(file) : file
  const source = path === undefined ? 'importOnnx' : basename(path)
  const proto = onnx.decode('Model', bytes, source)
  const graph = checkModel(proto, source)
  const outside = await readExternal(proto, path, source)
  const outsideBytes = [...outside.values()].reduce((sum, { length }) => sum + length, 0)
  const constants = new Set(graph.initializer.map(({ name }) => name))
  const inputs = graph.input.filter(({ name }) => !constants.has(name))
  const batch = inputs[0]?.type?.tensorType?.shape?.dim[0]?.dimValue
  const budget = 2 ** 24 + 4 * (bytes.length + outsideBytes)
  const importer = new Importer(source, opsetOf(proto, source), graph.initializer, outside, budget, batch ? Number(batch) : undefined)
  const isFirst = (layout ?? layoutIn(proto, graph, inputs)) === 'nchw'
  const written = metadataOf(proto, NORMALIZE, source) as Readonly<Record<string, Normalize>> | undefined
  const isOnly = inputs.length === 1
  const nodes = inputs.map((info) => inputOf(importer, info, { sizes, isFirst, isOnly, normalize: normalize ?? written?.[info.name] }))
  checkNames(sizes, inputs)
  await readNodes(importer, graph)
  const outputs = graph.output.map(({ name }) => outputOf(importer, name, isFirst))
  const model = await build(importer, nodes, outputs, modelOptions)
  const names = metadataOf(proto, CLASS_NAMES, source)
  if (classNames) model.classNames = classNames
  else if (names !== undefined)
    model.classNames = inFile(new Failure(source), () => checkClassNames(names, model.architecture, 'classNames'))
  return model
}

function checkModel({ graph }: ModelProto, source: string): GraphProto {
  const fail = new Failure(source)
  if (!graph) throw fail.damaged('no ONNX model: it holds no graph')
  if (graph.output.length === 0 || graph.input.length === 0) throw fail.damaged('its graph has no inputs, or no outputs')
  if (graph.sparseInitializer.length > 0) throw fail.unsupported('sparse initializers')
  return graph
}

function opsetOf({ opsetImport }: ModelProto, source: string): number {
  const found = opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')
  if (!found) throw new Failure(source).damaged('says no operator set')
  const version = Number(found.version)
  if (version >= OLDEST && version <= OPSET) return version
  throw new Failure(source).unsupported(`operator set ${version}, understood are ${OLDEST} to ${OPSET}`, version)
}

function layoutIn({ producerName, metadata }: ModelProto, graph: GraphProto, inputs: readonly ValueInfoProto[]): string {
  const written = producerName === 'convlane' && metadata.find(({ key }) => key === LAYOUT)?.value
  if (written === 'nchw' || written === 'nhwc') return written
  return areBroughtToFront(graph, inputs) ? 'nhwc' : 'nchw'
}

/** Whether every image that goes in is first of all transposed to channels first. */
function areBroughtToFront({ node }: GraphProto, inputs: readonly ValueInfoProto[]): boolean {
  const images = inputs.filter(({ type }) => (type?.tensorType?.shape?.dim.length ?? 0) > 2)
  const orders = new Map(images.map(({ name, type }) => [name, firstOrder(type!.tensorType!.shape!.dim.length).join()]))
  const readers = node.flatMap(({ input: read, opType, attribute }) =>
    read
      .filter((name) => orders.has(name))
      .map((name) => ({ name, moves: opType === 'Transpose' && attribute[0]?.ints.join() === orders.get(name) })),
  )
  return readers.length > 0 && readers.every(({ moves }) => moves) && new Set(readers.map(({ name }) => name)).size === orders.size
}

interface InputChoices {
  readonly sizes: ImportOnnxOptions['input']
  readonly isFirst: boolean
  readonly normalize: Normalize | undefined
  readonly isOnly: boolean
}

function checkNames(sizes: ImportOnnxOptions['input'], inputs: readonly ValueInfoProto[]): void {
  if (sizes === undefined || Array.isArray(sizes)) return
  checkOptions(
    'importOnnx: input',
    sizes,
    inputs.map(({ name }) => name),
  )
}

function inputOf(importer: Importer, { name, type }: ValueInfoProto, { sizes, isFirst, normalize, isOnly }: InputChoices): Node {
  const fail = importer.fail(`input "${name}"`)
  const { elemType, shape } = type?.tensorType ?? {}
  const isBytes = elemType === dataTypes.uint8
  if (elemType === undefined || !(isBytes || isFloatType(elemType))) {
    throw fail.unsupported(`takes elements of type ${typeName(elemType ?? 0)}, understood are floats and uint8`, elemType)
  }
  const dims = shape?.dim.map(({ dimValue }) => Number(dimValue))
  const toOurs = <T>(own: readonly T[]) => (isFirst ? lastOrder(own.length) : [...own.keys()]).slice(1).map((axis) => own[axis]!)
  const said = dims && toOurs(dims)
  const wanted = Array.isArray(sizes)
    ? isOnly
      ? sizes
      : undefined
    : (sizes as Readonly<Record<string, readonly number[]>> | undefined)?.[name]
  if (Array.isArray(sizes) && !isOnly) throw invalid('importOnnx', 'input', 'an object by names: the file has several inputs', sizes)
  if (!wanted && (!said || said.some((size) => size < 1))) {
    const text = said ? `[N, ${said.map((size) => (size < 1 ? '?' : size)).join(', ')}]` : 'no shape'
    throw fail.unsupported(`has open sizes: ${text} (channels last); give them as the option input`)
  }
  if (wanted) checkSampleShape(wanted, 'importOnnx: input')
  const fits = !wanted || !said || (said.length === wanted.length && said.every((size, axis) => size < 1 || size === wanted[axis]))
  if (!fits) throw invalid('importOnnx', 'input', `sizes that go with [${said.join(', ')}] of "${name}"`, wanted)
  const sample = wanted ?? said!
  if (sample.length < 1 || sample.length > 4) throw fail.unsupported(`has ${sample.length + 1} axes, understood are 2 to 5`)
  const ownName = importer.name(name)
  const bytes = normalize ?? (isBytes ? { scale: 1, offset: 0 } : undefined)
  const options = { ...(ownName !== undefined && { name: ownName }), ...(bytes && { normalize: bytes }) }
  const node: Node = inFile(fail, () => input([...sample], options))
  importer.define(name, isFirst ? viewInOrder(node, lastOrder(node.shape.length)) : plainView(node), fail)
  return node
}

async function readNodes(importer: Importer, { node: nodes, output }: GraphProto): Promise<void> {
  for (const name of [...nodes.flatMap((node) => node.input), ...output.map((end) => end.name)]) {
    if (name !== '') importer.uses.set(name, (importer.uses.get(name) ?? 0) + 1)
  }
  for (const { name } of output) importer.ends.add(name)
  for (const [index, node] of nodes.entries()) {
    readNode(importer, node)
    if (index % 64 === 63) await new Promise(setImmediate)
  }
}

function readNode(importer: Importer, node: NodeProto): void {
  const { opType, domain, output } = node
  const fail = importer.fail(`node "${node.name || output[0]}" (${opType})`)
  const operator = Object.hasOwn(operators, opType) ? operators[opType] : undefined
  if (domain !== '' && domain !== 'ai.onnx') throw fail.unsupported(`operators of the domain "${domain}"`, `${domain}.${opType}`)
  if (!operator) throw fail.unsupported('the operator has no counterpart', opType)
  const made = inFile(fail, () => {
    const call = new Call(importer, node, fail)
    const result = isFoldable(call) ? fold(call) : operator(call)
    call.attributes.checkAllRead()
    return result
  })
  const results = Array.isArray(made) ? made : [made]
  output.forEach((name, index) => {
    if (name === '') return
    if (results[index]) importer.define(name, results[index], fail)
    else if (importer.uses.has(name)) throw fail.unsupported(`its output ${index}, "${name}"`)
  })
}

function outputOf(importer: Importer, name: string, isFirst: boolean): Node {
  const fail = importer.fail(`output "${name}"`)
  const operand = importer.operand(name)
  if (!operand) throw fail.damaged('nothing makes it')
  if (!isView(operand)) throw fail.unsupported('is no function of the inputs')
  const rank = operand.axes.length
  const order = isFirst ? lastOrder(rank) : [...operand.axes.keys()]
  const lists = order.map((axis) => [axis])
  return inFile(fail, () => importer.arranger.arranged(operand, rank === 1 ? [...lists, []] : lists, fail))
}

async function build(
  importer: Importer,
  inputs: readonly Node[],
  outputs: readonly Node[],
  options: ModelOptions,
): Promise<Model<Samples, Tensor>> {
  const architecture = inFile(importer.fail('graph'), () => architectureOf(inputs, outputs))
  const weights: Record<string, Tensor> = {}
  for (const { layer, name, parameters } of architecture.layers) {
    const shapes = new Map(parameters.map((parameter) => [parameter.name.slice(name.length + 1), parameter.shape]))
    for (const [parameter, tensor] of await importer.weightsOf(layer, shapes)) weights[`${name}/${parameter}`] = tensor
  }
  return new Model(architecture, options, weights) as Model<Samples, Tensor>
}

/** What `exportOnnx` wrote under a key of the metadata, as JSON. @throws INVALID_FILE */
function metadataOf({ producerName, metadata }: ModelProto, wanted: string, source: string): unknown {
  const text = producerName === 'convlane' ? metadata.find(({ key }) => key === wanted)?.value : undefined
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Failure(source).damaged(`metadata ${wanted}: ${(error as Error).message}`)
  }
}
