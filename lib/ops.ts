/**
 * Every op, forward and backward. Given tensors, a function runs at once and returns new tensors; given values of a graph, it adds to the
 * graph. Same names, arguments and results either way.
 * @module convlane/ops
 */
export { type CheckGradientsOptions, checkGradients, type GradientError } from './graph/checkGradients'
export { gradients, type Seed } from './graph/gradients'
export type { Dtype, SymbolicShape, Value } from './graph/value'
export { type AccuracyOptions, accuracy, type ClassOptions } from './ops/accuracy'
export type { Activation } from './ops/activation'
export { type AdagradUpdateOptions, adagrad } from './ops/adagrad'
export { type AdamUpdateOptions, adam } from './ops/adam'
export {
  adaptiveAveragePool1d,
  adaptiveAveragePool1dBackward,
  adaptiveAveragePool2d,
  adaptiveAveragePool2dBackward,
  adaptiveAveragePool3d,
  adaptiveAveragePool3dBackward,
} from './ops/adaptiveAveragePool'
export { type AddOptions, add } from './ops/add'
export { div, maximum, minimum, neg, pow, sub } from './ops/arithmetic'
export { type AugmentOptions, augment } from './ops/augment'
export { type AveragePool1dOptions, averagePool1d, averagePool1dBackward } from './ops/averagePool1d'
export { type AveragePool2dOptions, averagePool2d, averagePool2dBackward } from './ops/averagePool2d'
export { type AveragePool3dOptions, averagePool3d, averagePool3dBackward } from './ops/averagePool3d'
export { type BatchNormOptions, batchNorm, batchNormBackward, batchNormInference } from './ops/batchNorm'
export { biasGradient } from './ops/biasGradient'
export type { Binary } from './ops/broadcast'
export { broadcastTo } from './ops/broadcastTo'
export { cast } from './ops/cast'
export { clipByNorm, clipByValue, l2Norm } from './ops/clip'
export { equal, greater, greaterEqual, less, lessEqual, notEqual } from './ops/compare'
export { type ConcatOptions, concat } from './ops/concat'
export { type ConfusionOptions, confusion } from './ops/confusion'
export { type ConstrainOptions, type Constraint, constrain, type Incoming } from './ops/constrain'
export { type Conv1dOptions, conv1d, conv1dBackward } from './ops/conv1d'
export { type Conv2dOptions, conv2d, conv2dBackward } from './ops/conv2d'
export { type Conv3dOptions, conv3d, conv3dBackward } from './ops/conv3d'
export type { ConvolutionAlgorithm } from './ops/convolution'
export { type ConvTranspose1dOptions, convTranspose1d, convTranspose1dBackward } from './ops/convTranspose1d'
export { type ConvTranspose2dOptions, convTranspose2d, convTranspose2dBackward } from './ops/convTranspose2d'
export { type ConvTranspose3dOptions, convTranspose3d, convTranspose3dBackward } from './ops/convTranspose3d'
export { type DenseOptions, dense, denseBackward } from './ops/dense'
export { type DepthwiseConv1dOptions, depthwiseConv1d, depthwiseConv1dBackward } from './ops/depthwiseConv1d'
export { type DepthwiseConv2dOptions, depthwiseConv2d, depthwiseConv2dBackward } from './ops/depthwiseConv2d'
export { type DropoutOptions, dropout } from './ops/dropout'
export type { Unary, UnaryBackward } from './ops/elementwise'
export { type EluOptions, elu, eluBackward } from './ops/elu'
export { max, min } from './ops/extremes'
export { fill } from './ops/fill'
export { type GatherOptions, gather, type Indices, oneHot } from './ops/gather'
export { type GeluOptions, gelu, geluBackward } from './ops/gelu'
export {
  globalAveragePool1d,
  globalAveragePool2d,
  globalAveragePool3d,
  globalMaxPool1d,
  globalMaxPool2d,
  globalMaxPool3d,
} from './ops/globalPool'
export { type GroupNormOptions, groupNorm, groupNormBackward } from './ops/groupNorm'
export { hardSigmoid, hardSigmoidBackward } from './ops/hardSigmoid'
export { hardSwish, hardSwishBackward } from './ops/hardSwish'
export { instanceNorm, instanceNormBackward } from './ops/instanceNorm'
export { type LayerNorm, type LayerNormBackward, type LayerNormOptions, layerNorm, layerNormBackward } from './ops/layerNorm'
export { type LeakyReluOptions, leakyRelu, leakyReluBackward } from './ops/leakyRelu'
export { type LinearThresholdOptions, linearThreshold, linearThresholdBackward } from './ops/linearThreshold'
export { logSoftmax, logSoftmaxBackward } from './ops/logSoftmax'
export {
  categoricalHinge,
  type ElementLoss,
  type FocalOptions,
  focal,
  type HuberOptions,
  hinge,
  huber,
  meanAbsoluteError,
  quadratic,
  type SigmoidCrossEntropyOptions,
  sigmoidCrossEntropy,
} from './ops/losses'
export { type LpPoolOptions, lpPool1d, lpPool1dBackward, lpPool2d, lpPool2dBackward, lpPool3d, lpPool3dBackward } from './ops/lpPool'
export { type MatmulOptions, matmul } from './ops/matmul'
export { maxout } from './ops/maxout'
export type { Positions } from './ops/maxPool'
export { type MaxPool1dBackwardOptions, maxPool1d, maxPool1dBackward, maxPool1dWithPositions, type Pool1dOptions } from './ops/maxPool1d'
export { type MaxPool2dBackwardOptions, maxPool2d, maxPool2dBackward, maxPool2dWithPositions } from './ops/maxPool2d'
export { type MaxPool3dBackwardOptions, maxPool3d, maxPool3dBackward, maxPool3dWithPositions, type Pool3dOptions } from './ops/maxPool3d'
export { meanSquaredError } from './ops/meanSquaredError'
export { mish, mishBackward } from './ops/mish'
export { type MixupOpOptions, mixup } from './ops/mixup'
export { type MovingAverageOptions, movingAverage } from './ops/movingAverage'
export { multiply, multiply as mul } from './ops/multiply'
export { type NormalizeOptions, normalize } from './ops/normalize'
export type { OpOptions } from './ops/options'
export { type PadOptions, pad, type Sides } from './ops/pad'
export type { PoolOptions } from './ops/pool'
export { prelu } from './ops/prelu'
export { relu, reluBackward } from './ops/relu'
export { flatten, reshape } from './ops/reshape'
export {
  type ResizeOptions,
  resize1d,
  resize1dBackward,
  resize2d,
  resize2dBackward,
  resize3d,
  resize3dBackward,
} from './ops/resize'
export { type RmsNorm, type RmsNormBackward, type RmsNormOptions, rmsNorm, rmsNormBackward } from './ops/rmsNorm'
export { type RmspropUpdateOptions, rmsprop } from './ops/rmsprop'
export { scale } from './ops/scale'
export { selu, seluBackward } from './ops/selu'
export { type SgdUpdateOptions, sgd } from './ops/sgd'
export { sigmoid, sigmoidBackward } from './ops/sigmoid'
export { convolve1d, convolve2d, convolveNd, correlate1d, correlate2d, correlateNd, type SignalMode } from './ops/signal'
export { silu, siluBackward } from './ops/silu'
export { type SplitOptions, slice, split } from './ops/slice'
export { softmax, softmaxBackward } from './ops/softmax'
export { type SoftmaxCrossEntropyOptions, softmaxCrossEntropy, type WeightedOptions } from './ops/softmaxCrossEntropy'
export { softplus, softplusBackward } from './ops/softplus'
export { softsign, softsignBackward } from './ops/softsign'
export { stopGradient } from './ops/stopGradient'
export { mean, type Reduce, type ReduceOptions, sum } from './ops/sum'
export { tanh, tanhBackward } from './ops/tanh'
export { transpose } from './ops/transpose'
export { abs, clip, exp, log, sign, sqrt } from './ops/unary'
export { weightedMean } from './ops/weightedMean'
export { where } from './ops/where'
export type { Padding, Padding1d, Padding3d, PaddingPair, Pair, Triple } from './shape'
export { type Labels, type Tensor, tensor } from './tensor'
