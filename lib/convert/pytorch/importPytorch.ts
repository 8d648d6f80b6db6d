import { checkBoolean } from '../../check'
import { ConvlaneError } from '../../errors'
import { readTensors } from '../../io/safetensors'
import type { Model } from '../../model/model'
import { sameShape, shapeText } from '../../shape'
import type { Tensor } from '../../tensor'
import { reordered, transposed } from './arrange'
import { type PytorchOptions, slotsFor } from './names'
import type { Slot } from './slots'

/** Options of {@link importPytorch}. */
export interface PytorchImportOptions extends PytorchOptions {
  /** Whether tensors of the file that nothing takes are an error. Default true. */
  readonly strict?: boolean
}

/**
 * Sets a model's weights from a `state_dict` of PyTorch's, saved as safetensors (`safetensors.torch.save_file(net.state_dict(), 'net.safetensors')`): filters and
 * matrices turned round, the rows of what stands behind `flatten` in the order of images with channels first, float16 and bfloat16 made float32. The model
 * is of the same layers; PyTorch's normalizations have `epsilon` 1e-5. All weights are set or, where one does not fit, none. Layers and names are those of
 * docs/pytorch.md.
 * @returns `unused`: names of tensors that nothing takes; counters of batches (`num_batches_tracked`) are not among them
 * @throws FILE_ERROR; INVALID_FILE for a damaged file and one that lacks a tensor or, unless `strict` is false, has one that nothing takes; INVALID_SHAPE where one
 *   does not fit; UNSUPPORTED for element types, and layers that PyTorch has not; INVALID_ARGUMENT; BUSY during fit
 */
export async function importPytorch(
  model: Model<never, unknown>,
  file: string,
  options: PytorchImportOptions = {},
): Promise<{ readonly unused: readonly string[] }> {
  const { slots, isSkipped } = slotsFor(model, file, options, 'importPytorch', ['strict'])
  const strict = checkBoolean(options.strict ?? true, 'importPytorch', 'strict')
  const wanted = new Map(slots.flatMap((slot) => [slot.theirs, ...(slot.addend ? [slot.addend] : [])].map((name) => [name, slot] as const)))
  const { tensors, unread } = await readTensors(file, (name) => wanted.has(name))
  const read = new Map(Object.entries(tensors))
  const missing = [...wanted.keys()].filter((name) => !read.has(name))
  if (missing.length > 0) {
    const first = `"${missing[0]}", for "${wanted.get(missing[0]!)!.name}"`
    const message = `${file}: lacks ${first}${missing.length > 1 ? ` and ${missing.length - 1} more` : ''}; it has ${listed([...read.keys(), ...unread])}`
    throw new ConvlaneError('INVALID_FILE', message, { expected: missing, received: [...read.keys(), ...unread] })
  }
  const unused = unread.filter((name) => !name.endsWith('num_batches_tracked') && !isSkipped(name))
  if (strict && unused.length > 0) {
    const message = `${file}: nothing takes ${listed(unused)}: layers may be called otherwise (names), or strict be false`
    throw new ConvlaneError('INVALID_FILE', message, { received: unused })
  }
  const weights: [string, Tensor][] = []
  for (const slot of slots) {
    const data = await turned(slot, checked(slot, slot.theirs, read, file))
    const more = slot.addend === undefined ? undefined : checked(slot, slot.addend, read, file)
    weights.push([slot.name, { shape: slot.shape, data: more ? data.map((value, index) => value + more[index]!) : data }])
  }
  await model.setWeights(Object.fromEntries(weights))
  return { unused }
}

function checked({ name, theirShape }: Slot, theirs: string, tensors: ReadonlyMap<string, Tensor>, file: string): Float32Array {
  const { shape, data } = tensors.get(theirs)!
  if (sameShape(shape, theirShape)) return data as Float32Array
  const message = `${file}: "${theirs}" has shape ${shapeText(shape)}, expected ${shapeText(theirShape)} for "${name}"`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: theirShape, received: shape })
}

async function turned({ parted, axes, order }: Slot, data: Float32Array): Promise<Float32Array> {
  const result = await transposed(data, parted, axes)
  return order ? reordered(result, order, false) : result
}

const listed = (names: readonly string[]) => `${names.slice(0, 8).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`
