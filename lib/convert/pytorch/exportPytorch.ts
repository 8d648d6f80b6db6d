import { writeSafetensors } from '../../io/safetensors'
import type { Model } from '../../model/model'
import type { Tensor } from '../../tensor'
import type { WeightsOptions } from '../../train/options'
import { reordered, transposed } from './arrange'
import { type PytorchOptions, slotsFor } from './names'

/** Options of {@link exportPytorch}. */
export interface PytorchExportOptions extends PytorchOptions, WeightsOptions {}

/**
 * Writes a model's weights as a `state_dict` of PyTorch's in a safetensors file, {@link importPytorch} the other way round:
 * `net.load_state_dict(safetensors.torch.load_file('net.safetensors'))`. float32. The file appears whole or not at all.
 * @throws FILE_ERROR; UNSUPPORTED for layers that PyTorch has not; INVALID_ARGUMENT
 */
export async function exportPytorch(model: Model<never, unknown>, file: string, options: PytorchExportOptions = {}): Promise<void> {
  const { slots } = slotsFor(model, file, options, 'exportPytorch', ['weights'])
  const weights = await model.getWeights(options.weights === undefined ? {} : { weights: options.weights })
  const tensors: [string, Tensor][] = []
  for (const { name, theirs, theirShape, parted, axes, order, addend } of slots) {
    const own = weights[name]!.data as Float32Array
    const rows = order ? await reordered(own, order, true) : own
    const back = parted.map((_, axis) => axes.indexOf(axis))
    const data = await transposed(
      rows,
      axes.map((axis) => parted[axis]!),
      back,
    )
    tensors.push([theirs, { shape: theirShape, data }])
    if (addend) tensors.push([addend, { shape: theirShape, data: new Float32Array(data.length) }])
  }
  await writeSafetensors(file, Object.fromEntries(tensors), { format: 'pt' })
}
