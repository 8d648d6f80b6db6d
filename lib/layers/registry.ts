import { invalid } from '../check'
import { ConvlaneError } from '../errors'
import * as activations from './activation'
import { batchNorm } from './batchNorm'
import { crop1d, crop2d, crop3d, zeroPad1d, zeroPad2d, zeroPad3d } from './border'
import { conv1d } from './conv1d'
import { conv2d } from './conv2d'
import { conv3d } from './conv3d'
import { convTranspose1d } from './convTranspose1d'
import { convTranspose2d } from './convTranspose2d'
import { convTranspose3d } from './convTranspose3d'
import { dense } from './dense'
import { depthwiseConv1d, separableConv1d } from './depthwiseConv1d'
import { depthwiseConv2d, separableConv2d } from './depthwiseConv2d'
import { dropout, spatialDropout } from './dropout'
import { flatten } from './flatten'
import { groupNorm, instanceNorm } from './groupNorm'
import { identityShortcut } from './identityShortcut'
import { Layer, type LayerConfig } from './layer'
import { layerNorm } from './layerNorm'
import { maxout } from './maxout'
import { add, concat, multiply } from './merge'
import { normalize, rescale } from './normalize'
import { adaptiveAveragePool1d, averagePool1d, globalAveragePool1d, globalMaxPool1d, lpPool1d, maxPool1d } from './pool1d'
import { adaptiveAveragePool2d, averagePool2d, globalAveragePool2d, globalMaxPool2d, lpPool2d, maxPool2d } from './pool2d'
import { adaptiveAveragePool3d, averagePool3d, globalAveragePool3d, globalMaxPool3d, lpPool3d, maxPool3d } from './pool3d'
import { prelu } from './prelu'
import { permute, reshape } from './reshape'
import { rmsNorm } from './rmsNorm'
import { rnn } from './rnn'
import { resize1d, resize2d, resize3d, upsample1d, upsample2d, upsample3d } from './upsample'

/** Makes a layer from what its `config()` gave, with `name` added. It checks what it is given: configurations come from files. */
export type LayerMaker = (config: LayerConfig) => Layer

// biome-ignore lint/suspicious/noExplicitAny: configurations come from files, the functions that take them check them
type Config = any

const makers = new Map<string, LayerMaker>([
  ['add', (config: Config) => add(config)],
  ['adaptiveAveragePool1d', ({ size, ...options }: Config) => adaptiveAveragePool1d(size, options)],
  ['adaptiveAveragePool2d', ({ size, ...options }: Config) => adaptiveAveragePool2d(size, options)],
  ['adaptiveAveragePool3d', ({ size, ...options }: Config) => adaptiveAveragePool3d(size, options)],
  ['averagePool1d', ({ size, ...options }: Config) => averagePool1d(size, options)],
  ['averagePool2d', ({ size, ...options }: Config) => averagePool2d(size, options)],
  ['averagePool3d', ({ size, ...options }: Config) => averagePool3d(size, options)],
  ['batchNorm', (config: Config) => batchNorm(config)],
  ['concat', (config: Config) => concat(config)],
  ['conv1d', ({ filters, kernelSize, ...options }: Config) => conv1d(filters, kernelSize, options)],
  ['conv2d', ({ filters, kernelSize, ...options }: Config) => conv2d(filters, kernelSize, options)],
  ['conv3d', ({ filters, kernelSize, ...options }: Config) => conv3d(filters, kernelSize, options)],
  ['convTranspose1d', ({ filters, kernelSize, ...options }: Config) => convTranspose1d(filters, kernelSize, options)],
  ['convTranspose2d', ({ filters, kernelSize, ...options }: Config) => convTranspose2d(filters, kernelSize, options)],
  ['convTranspose3d', ({ filters, kernelSize, ...options }: Config) => convTranspose3d(filters, kernelSize, options)],
  ['crop1d', ({ cropping, ...options }: Config) => crop1d(cropping, options)],
  ['crop2d', ({ cropping, ...options }: Config) => crop2d(cropping, options)],
  ['crop3d', ({ cropping, ...options }: Config) => crop3d(cropping, options)],
  ['dense', ({ units, ...options }: Config) => dense(units, options)],
  ['depthwiseConv1d', ({ kernelSize, ...options }: Config) => depthwiseConv1d(kernelSize, options)],
  ['depthwiseConv2d', ({ kernelSize, ...options }: Config) => depthwiseConv2d(kernelSize, options)],
  ['dropout', ({ rate, ...options }: Config) => dropout(rate, options)],
  ['flatten', (config: Config) => flatten(config)],
  ['globalAveragePool1d', (config: Config) => globalAveragePool1d(config)],
  ['globalAveragePool2d', (config: Config) => globalAveragePool2d(config)],
  ['globalAveragePool3d', (config: Config) => globalAveragePool3d(config)],
  ['globalMaxPool1d', (config: Config) => globalMaxPool1d(config)],
  ['globalMaxPool2d', (config: Config) => globalMaxPool2d(config)],
  ['globalMaxPool3d', (config: Config) => globalMaxPool3d(config)],
  ['groupNorm', ({ groups, ...options }: Config) => groupNorm(groups, options)],
  ['instanceNorm', (config: Config) => instanceNorm(config)],
  ['layerNorm', (config: Config) => layerNorm(config)],
  ['lpPool1d', ({ size, ...options }: Config) => lpPool1d(size, options)],
  ['identityShortcut', ({ filters, ...options }: Config) => identityShortcut(filters, options)],
  ['lpPool2d', ({ size, ...options }: Config) => lpPool2d(size, options)],
  ['lpPool3d', ({ size, ...options }: Config) => lpPool3d(size, options)],
  ['maxout', ({ pieces, ...options }: Config) => maxout(pieces, options)],
  ['maxPool1d', ({ size, ...options }: Config) => maxPool1d(size, options)],
  ['maxPool2d', ({ size, ...options }: Config) => maxPool2d(size, options)],
  ['maxPool3d', ({ size, ...options }: Config) => maxPool3d(size, options)],
  ['multiply', (config: Config) => multiply(config)],
  ['normalize', (config: Config) => normalize(config)],
  ['permute', ({ axes, ...options }: Config) => permute(axes, options)],
  ['prelu', (config: Config) => prelu(config)],
  ['rescale', (config: Config) => rescale(config)],
  ['reshape', ({ shape, ...options }: Config) => reshape(shape, options)],
  ['resize1d', ({ size, ...options }: Config) => resize1d(size, options)],
  ['resize2d', ({ size, ...options }: Config) => resize2d(size, options)],
  ['resize3d', ({ size, ...options }: Config) => resize3d(size, options)],
  ['rmsNorm', (config: Config) => rmsNorm(config)],
  ['rnn', ({ units, ...options }: Config) => rnn(units, options)],
  ['spatialDropout', ({ rate, ...options }: Config) => spatialDropout(rate, options)],
  ['upsample1d', ({ size, ...options }: Config) => upsample1d(size, options)],
  ['upsample2d', ({ size, ...options }: Config) => upsample2d(size, options)],
  ['upsample3d', ({ size, ...options }: Config) => upsample3d(size, options)],
  ['zeroPad1d', ({ padding, ...options }: Config) => zeroPad1d(padding, options)],
  ['zeroPad2d', ({ padding, ...options }: Config) => zeroPad2d(padding, options)],
  ['zeroPad3d', ({ padding, ...options }: Config) => zeroPad3d(padding, options)],
  ['separableConv1d', ({ filters, kernelSize, ...options }: Config) => separableConv1d(filters, kernelSize, options)],
  ['separableConv2d', ({ filters, kernelSize, ...options }: Config) => separableConv2d(filters, kernelSize, options)],
  ...Object.entries(activations).map(([type, make]): [string, LayerMaker] => [type, (config: Config) => make(config)]),
])

/**
 * Lets `loadModel` read models that hold layers of your own.
 * @param type the layers' `type`
 * @param make gives a layer for what `config()` gave, with `name` added
 * @throws INVALID_ARGUMENT when the type is taken
 */
export function registerLayer(type: string, make: LayerMaker): void {
  if (typeof type !== 'string' || type === '') throw invalid('registerLayer', 'type', 'a string, not empty', type)
  if (typeof make !== 'function') throw invalid('registerLayer', 'make', 'a function', make)
  if (makers.has(type)) {
    throw new ConvlaneError('INVALID_ARGUMENT', `registerLayer: there is a layer of type "${type}" already`, { received: type })
  }
  makers.set(type, make)
}

/** The layer of that type and configuration. Throws INVALID_ARGUMENT, naming the type. */
export function makeLayer(type: string, name: string, config: LayerConfig): Layer {
  const make = makers.get(type)
  if (!make) {
    const known = [...makers.keys()]
    const message = `no layer has the type "${type}"; there are ${known.join(', ')}. Layers of your own: registerLayer`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: known, received: type })
  }
  const layer = make({ ...config, name })
  if (!(layer instanceof Layer) || layer.type !== type)
    throw invalid(`registerLayer: the maker of "${type}"`, 'result', 'a layer of that type', layer)
  return layer
}
