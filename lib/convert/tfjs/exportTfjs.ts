import { mkdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { checkOptions, invalid } from '../../check'
import { labelOf } from '../../graph/apply'
import { writeAtomically } from '../../io/atomic-file'
import { fileError } from '../../io/files'
import type { Architecture, PlacedLayer } from '../../model/architecture'
import { isFrozen } from '../../model/frozen'
import { Model } from '../../model/model'
import type { Tensor } from '../../tensor'
import type { WeightsOptions } from '../../train/options'
import type { Json } from './config'
import { type KerasLayer, lower } from './lowering'
import { metadataFor } from './metadata'
import { ownShards, writeShards } from './shards'

/** A weight of the file, and the tensor that it is. */
interface Written {
  readonly name: string
  readonly parameter: string
  readonly shape: readonly number[]
}

/** A Keras layer with its name in the file. */
interface Placed {
  readonly keras: KerasLayer
  readonly name: string
}

/**
 * Writes a model as TensorFlow.js reads it (`tf.loadLayersModel`): `model.json` and the weights as float32 in shards of 4 MB, in a folder that is made where
 * there is none. The shards come first and have names of their own, `model.json` last, so that whatever fails an older model in the folder stays whole; its
 * shards are removed at the end. The layers are those of docs/tfjs.md.
 *
 * The model takes floats there as it does here: bytes that are scaled here (`normalize`) must be scaled before. What only matters for training is not all
 * kept: how weights began, `activityRegularizer` (TensorFlow.js has none), what is frozen of a layer in parts, optimizer and losses.
 * @param dir the folder
 * @throws UNSUPPORTED, naming layer and option, for what TensorFlow.js has not; FILE_ERROR; INVALID_ARGUMENT
 */
export async function exportTfjs(model: Model<never, unknown>, dir: string, options: WeightsOptions = {}): Promise<void> {
  if (!(model instanceof Model)) throw invalid('exportTfjs', 'model', 'a model', model)
  if (typeof dir !== 'string' || dir === '') throw invalid('exportTfjs', 'dir', 'a path', dir)
  checkOptions('exportTfjs', options, ['weights'])
  const { architecture, classNames } = model
  const { topology, written, inputs } = topologyOf(architecture)
  const weights = await model.getWeights(options)
  const file = join(dir, 'model.json')
  await mkdir(dir, { recursive: true }).catch((error) => {
    throw fileError('make', dir, error)
  })
  const old = ownShards(await readFile(file, 'utf8').catch(() => ''))
  const tensors = written.map(({ name, parameter, shape }): [string, Tensor] => [name, { shape, data: weights[parameter]!.data }])
  const manifest = await writeShards(dir, tensors)
  const json = {
    format: 'layers-model',
    generatedBy: 'convlane',
    convertedBy: null,
    modelTopology: topology,
    weightsManifest: [manifest],
    userDefinedMetadata: metadataFor(architecture, inputs, classNames),
  }
  await writeAtomically(file, [Buffer.from(`${JSON.stringify(json)}\n`)])
  const unused = old.filter((path) => !manifest.paths.includes(path))
  await Promise.all(unused.map((path) => unlink(join(dir, path)).catch(() => {})))
}

/** The graph as Keras writes it, the weights in the order of the file, and the names of the inputs. */
function topologyOf(architecture: Architecture): { topology: Json; written: Written[]; inputs: string[] } {
  const { inputs, layers, calls, outputs, frozen } = architecture
  const free = namer()
  // Layers first: theirs are the names that people look for.
  const names = layers.map(({ name }) => free(name))
  const inputNames = inputs.map(({ name }) => free(name))
  const sizes = [...inputs.map(({ shape }) => shape), ...calls.map(({ shape }) => shape.slice(1) as number[])]
  /** Where the result of each place is: a layer and the number of its call. */
  const at: (readonly [name: string, call: number])[] = inputNames.map((name) => [name, 0])
  const placed = new Map<number, readonly Placed[]>()
  const inbound = new Map<string, unknown[]>()
  for (const { layer: index, inputs: from, shape } of calls) {
    const one = layers[index]!
    if (!placed.has(index)) {
      const pieces = lower(loweredOf(one, sizes[from[0]!]!, shape.slice(1) as number[]))
      placed.set(
        index,
        pieces.map((keras) => ({
          keras,
          name: keras.suffix === undefined ? names[index]! : free(`${names[index]}_${keras.suffix.replace(/^_/, '')}`),
        })),
      )
    }
    let before = from.map((place) => at[place]!)
    for (const { name } of placed.get(index)!) {
      const nodes = inbound.get(name) ?? []
      inbound.set(name, [...nodes, before.map(([other, call]) => [other, call, 0, {}])])
      before = [[name, nodes.length]]
    }
    at.push(before[0]!)
  }
  const described = [...placed].flatMap(([index, pieces]) =>
    pieces.map(({ keras, name }) => {
      const config = { name, trainable: !isFrozen(frozen, layers[index]!), ...keras.config }
      return { name, class_name: keras.type, config, inbound_nodes: inbound.get(name)! }
    }),
  )
  const first = inputs.map(({ shape }, index) => {
    const name = inputNames[index]!
    const config = { name, batch_input_shape: [null, ...shape], dtype: 'float32', sparse: false }
    return { name, class_name: 'InputLayer', config, inbound_nodes: [] }
  })
  const written = [...placed].flatMap(([index, pieces]) => pieces.flatMap((piece) => writtenOf(piece, layers[index]!)))
  const config = {
    name: 'model',
    layers: [...first, ...described],
    input_layers: inputNames.map((name) => [name, 0, 0]),
    output_layers: outputs.map(({ place }) => [...at[place]!, 0]),
  }
  return { topology: { class_name: 'Model', config, keras_version: '2.15.0', backend: 'tensorflow' }, written, inputs: inputNames }
}

function loweredOf({ layer, name, parameters }: PlacedLayer, input: readonly number[], output: readonly number[]) {
  const shapes = new Map(parameters.map((parameter) => [parameter.name.slice(name.length + 1), parameter.shape]))
  return { type: layer.type, label: labelOf(layer.type, name), config: layer.config(), input, output, parameters: shapes }
}

function writtenOf({ keras: { weights = {}, shapes = {} }, name }: Placed, { name: layer, parameters }: PlacedLayer): Written[] {
  return Object.entries(weights).map(([weight, own]) => {
    const parameter = `${layer}/${own}`
    return { name: `${name}/${weight}`, parameter, shape: shapes[weight] ?? parameters.find((one) => one.name === parameter)!.shape }
  })
}

/** Gives each a name that TensorFlow.js allows for its tensors and that no other has. */
function namer(): (wanted: string) => string {
  const taken = new Set<string>()
  return (wanted) => {
    const allowed = wanted.replace(/[^A-Za-z0-9_.-]/g, '_').replace(/^[^A-Za-z0-9]/, 'x$&')
    let name = allowed
    for (let number = 1; taken.has(name); number++) name = `${allowed}_${number}`
    taken.add(name)
    return name
  }
}
