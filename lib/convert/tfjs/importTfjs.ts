import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { checkOptions, invalid } from '../../check'
import type { Normalize } from '../../data/dataset'
import { ConvlaneError } from '../../errors'
import { fileError } from '../../io/files'
import { duplicateKey } from '../../io/json-keys'
import { checkInputOptions, checkSampleShape } from '../../layers/node'
import { architectureOf, type InputEnd } from '../../model/architecture'
import { Model, type ModelOptions } from '../../model/model'
import { sameShape, shapeText } from '../../shape'
import type { Tensor } from '../../tensor'
import { damaged, isObject, objectOf, unsupported } from './config'
import { metadataOf } from './metadata'
import { readShards } from './shards'
import { readTopology, type WeightName } from './topology'

/** Options of {@link importTfjs}. */
export interface TfjsImportOptions extends Pick<ModelOptions, 'runtime'> {
  /** Sizes of one sample, `[224, 224, 3]`, where the file leaves some open; of several inputs by their names. Default: the file's. */
  readonly input?: readonly number[] | Readonly<Record<string, readonly number[]>>
}

/** Largest `model.json`: it holds no weights. */
const MAX_JSON = 100_000_000

/**
 * The model of a TensorFlow.js `model.json` (layers format: `model.save` of tfjs-layers, or a Keras model through `tensorflowjs_converter`), with the weights
 * from the files that it names, which lie beside it. The layers are those of docs/tfjs.md; whatever else a file asks for is refused by name. Quantized weights
 * become float32. It is not compiled; how weights began, optimizers and losses are not taken over.
 * @param file path of the `model.json`
 * @throws FILE_ERROR where a file cannot be read; INVALID_FILE for damaged ones; UNSUPPORTED for classes, options and element types that there are not;
 *   INVALID_ARGUMENT for options
 */
export async function importTfjs<M extends Model<never, unknown> = Model>(file: string, options: TfjsImportOptions = {}): Promise<M> {
  if (typeof file !== 'string' || file === '') throw invalid('importTfjs', 'file', 'a path', file)
  checkOptions('importTfjs', options, ['input', 'runtime'])
  const shapes = shapesOf(options.input)
  const json = await readJson(file)
  const { made, weights, weightsManifest, userDefinedMetadata } = await within(file, () => {
    const { modelTopology, weightsManifest, format, userDefinedMetadata } = objectOf(parse(json), 'the file')
    if (format === 'graph-model') throw unsupported('a graph model, of ops: models of layers are read ("layers-model")', format)
    const { inputs, outputs, weights } = readTopology(modelTopology, shapes)
    return { made: architectureOf(inputs, outputs), weights, weightsManifest, userDefinedMetadata }
  })
  checkNames(shapes, made.inputs)
  return within(file, async () => {
    const { normalize, classNames } = metadataOf(userDefinedMetadata)
    const architecture = { ...made, inputs: made.inputs.map((end) => withNormalize(end, normalize)) }
    const shapesHere = new Map(made.layers.flatMap(({ parameters }) => parameters.map(({ name, shape }) => [name, shape] as const)))
    const tensors = assign(weights, await readShards(weightsManifest, dirname(file)), shapesHere)
    const model = new Model(architecture, options.runtime === undefined ? {} : { runtime: options.runtime }, tensors)
    if (classNames) model.classNames = classNames
    return model as unknown as M
  })
}

/** What is wrong in the file is the file's fault, not that of an argument, and the message begins with it. */
async function within<T>(file: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof RangeError) throw new ConvlaneError('INVALID_FILE', `${file}: more of one thing than can be handled`, { cause })
    if (!(cause instanceof ConvlaneError) || cause.code === 'FILE_ERROR' || cause.code === 'OUT_OF_MEMORY') throw cause
    const code = cause.code === 'UNSUPPORTED' ? cause.code : 'INVALID_FILE'
    const { expected, received } = cause
    throw new ConvlaneError(code, `${file}: ${cause.message}`, { expected, received, cause })
  }
}

function checkNames(shapes: ReadonlyMap<string, unknown>, inputs: readonly InputEnd[]): void {
  const known = inputs.map(({ name }) => name)
  const unknown = [...shapes.keys()].find((name) => name !== '' && !known.includes(name))
  if (unknown !== undefined) throw invalid('importTfjs', 'input', `sizes for inputs of the file, ${known.join(', ')}`, unknown)
}

function withNormalize(end: InputEnd, normalize: ReadonlyMap<string, Normalize>): InputEnd {
  const own = normalize.get(end.name)
  return own === undefined ? end : { ...end, ...checkInputOptions({ normalize: own }, end.shape.at(-1)!, `input "${end.name}"`) }
}

function shapesOf(input: unknown): Map<string, readonly number[]> {
  if (input === undefined) return new Map()
  const named = Array.isArray(input) ? { '': input } : input
  if (!isObject(named)) throw invalid('importTfjs', 'input', 'sizes of one sample, or an object of these by name of the input', input)
  return new Map(Object.entries(named).map(([name, shape]) => [name, checkSampleShape(shape, 'importTfjs')]))
}

async function readJson(file: string): Promise<string> {
  const handle = await open(file, 'r').catch((error) => {
    throw fileError('read', file, error)
  })
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw damaged(`${file}: is not a regular file`)
    if (stats.size > MAX_JSON) throw damaged(`${file}: is no model.json: ${stats.size} bytes, at most ${MAX_JSON} are read`)
    return new TextDecoder('utf-8', { fatal: true }).decode(await handle.readFile())
  } catch (error) {
    if (error instanceof ConvlaneError) throw error
    if (error instanceof TypeError) throw damaged(`${file}: is no model.json: not UTF-8`)
    throw fileError('read', file, error)
  } finally {
    await handle.close()
  }
}

function parse(json: string): unknown {
  try {
    const value: unknown = JSON.parse(json)
    const twice = duplicateKey(json)
    if (twice === undefined) return value
    throw damaged(`"${twice}" appears twice in one object`, twice)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new ConvlaneError('INVALID_FILE', `no model.json: ${cause.message}`, { cause })
  }
}

/** Axes of size 1 do not change where the elements lie. */
const sizes = (shape: readonly number[]) => shape.filter((size) => size !== 1)

/** The tensors under their names here, each parameter given once and nothing left over. */
function assign(
  weights: readonly WeightName[],
  tensors: ReadonlyMap<string, Tensor>,
  shapes: ReadonlyMap<string, readonly number[]>,
): Record<string, Tensor> {
  const left = new Map(tensors)
  const index = namesByParts(tensors.keys())
  const missing: string[] = []
  const found: [string, Tensor][] = []
  for (const { theirs, ours } of weights) {
    const [layer, weight] = theirs
    const exact = `${layer}/${weight}`
    const close = index.get(exact) ?? []
    const name = left.has(exact) || close.length !== 1 ? exact : close[0]!
    const tensor = left.get(name)
    if (!tensor) {
      missing.push(exact)
      continue
    }
    left.delete(name)
    const full = ours.join('/')
    const shape = shapes.get(full)!
    if (!sameShape(sizes(shape), sizes(tensor.shape))) {
      throw damaged(`"${name}" must have shape ${shapeText(shape)}, received ${shapeText(tensor.shape)}`, tensor.shape)
    }
    found.push([full, { shape, data: tensor.data }])
  }
  if (missing.length > 0) throw damaged(`the weights lack ${listed(missing)}`, missing)
  if (left.size > 0) throw damaged(`no layer takes the weights ${listed([...left.keys()])}`, [...left.keys()])
  return Object.fromEntries(found)
}

/** TensorFlow.js writes `layer/kernel`; Keras may put scopes before and cells between: names by their layer and weight. */
function namesByParts(names: Iterable<string>): Map<string, string[]> {
  const index = new Map<string, string[]>()
  for (const name of names) {
    const parts = name.split('/')
    const weight = parts.pop()
    for (const part of new Set(parts)) {
      const key = `${part}/${weight}`
      const known = index.get(key)
      if (known) known.push(name)
      else index.set(key, [name])
    }
  }
  return index
}

const listed = (names: readonly string[]) => `${names.slice(0, 8).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`
