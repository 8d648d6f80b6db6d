import { accuracy } from './accuracy'
import { adagrad } from './adagrad'
import { adam } from './adam'
import { adaptiveAveragePool, adaptiveAveragePoolBackward } from './adaptiveAveragePool'
import { add } from './add'
import {
  abs,
  clip,
  div,
  equal,
  exp,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  multiply,
  notEqual,
  pow,
  prelu,
  sign,
  sqrt,
  sub,
} from './arithmetic'
import { augment } from './augment'
import { averagePool, averagePoolBackward } from './averagePool'
import { batchNorm, batchNormBackward, batchNormInference } from './batchNorm'
import { biasGradient } from './biasGradient'
import { broadcastTo, where } from './broadcast'
import { cast } from './cast'
import { clipByNorm, clipByValue, l2Norm } from './clip'
import { concat } from './concat'
import { confusion } from './confusion'
import { constrain } from './constrain'
import { convolution, convolutionBackwardInput, convolutionBackwardWeights, transposedConvolution } from './convolution'
import { dense } from './dense'
import { dropout } from './dropout'
import { activationSteps } from './elementwise'
import { fill } from './fill'
import { gather, oneHot, scatterAdd } from './gather'
import { groupNorm, groupNormBackward } from './groupNorm'
import { layerNorm, layerNormBackward, rmsNorm, rmsNormBackward } from './layerNorm'
import { logSoftmax, logSoftmaxBackward } from './logSoftmax'
import { lpPool, lpPoolBackward } from './lpPool'
import { matmul } from './matmul'
import { maxPool, maxPoolBackward } from './maxPool'
import { meanSquaredError } from './meanSquaredError'
import { mixup } from './mixup'
import { movingAverage } from './movingAverage'
import { normalize } from './normalize'
import { pad, padBackward } from './pad'
import { max, min, sum } from './reduce'
import { resize, resizeBackward } from './resize'
import { rmsprop } from './rmsprop'
import { scale } from './scale'
import { sgd } from './sgd'
import { slice } from './slice'
import { softmax, softmaxBackward } from './softmax'
import { softmaxCrossEntropy } from './softmaxCrossEntropy'
import type { ReferenceStep } from './step'
import { transpose } from './transpose'

/** Every op of docs/steps.md in plain loops and double precision: what the native kernels are measured against. Calls nothing that it checks. */
export const reference: Readonly<Record<string, (step: ReferenceStep) => void>> = {
  conv1d: convolution,
  conv1dBackwardInput: convolutionBackwardInput,
  conv1dBackwardWeights: convolutionBackwardWeights,
  conv2d: convolution,
  conv2dBackwardInput: convolutionBackwardInput,
  conv2dBackwardWeights: convolutionBackwardWeights,
  conv3d: convolution,
  conv3dBackwardInput: convolutionBackwardInput,
  conv3dBackwardWeights: convolutionBackwardWeights,
  convTranspose1d: transposedConvolution,
  convTranspose2d: transposedConvolution,
  convTranspose3d: transposedConvolution,
  biasGradient,
  maxPool1d: maxPool,
  maxPool1dBackward: maxPoolBackward,
  averagePool1d: averagePool,
  averagePool1dBackward: averagePoolBackward,
  adaptiveAveragePool1d: adaptiveAveragePool,
  adaptiveAveragePool1dBackward: adaptiveAveragePoolBackward,
  lpPool1d: lpPool,
  lpPool1dBackward: lpPoolBackward,
  resize1d: resize,
  resize1dBackward: resizeBackward,
  maxPool2d: maxPool,
  maxPool2dBackward: maxPoolBackward,
  averagePool2d: averagePool,
  averagePool2dBackward: averagePoolBackward,
  adaptiveAveragePool2d: adaptiveAveragePool,
  adaptiveAveragePool2dBackward: adaptiveAveragePoolBackward,
  lpPool2d: lpPool,
  lpPool2dBackward: lpPoolBackward,
  resize2d: resize,
  resize2dBackward: resizeBackward,
  maxPool3d: maxPool,
  maxPool3dBackward: maxPoolBackward,
  averagePool3d: averagePool,
  averagePool3dBackward: averagePoolBackward,
  adaptiveAveragePool3d: adaptiveAveragePool,
  adaptiveAveragePool3dBackward: adaptiveAveragePoolBackward,
  lpPool3d: lpPool,
  lpPool3dBackward: lpPoolBackward,
  resize3d: resize,
  resize3dBackward: resizeBackward,
  batchNorm,
  batchNormInference,
  batchNormBackward,
  layerNorm,
  layerNormBackward,
  rmsNorm,
  rmsNormBackward,
  groupNorm,
  groupNormBackward,
  movingAverage,
  constrain,
  dense,
  matmul,
  ...activationSteps,
  softmax,
  softmaxBackward,
  logSoftmax,
  logSoftmaxBackward,
  add,
  multiply,
  sub,
  div,
  pow,
  minimum,
  maximum,
  prelu,
  equal,
  notEqual,
  less,
  lessEqual,
  where,
  exp,
  log,
  sqrt,
  abs,
  sign,
  clip,
  sum,
  max,
  min,
  broadcastTo,
  transpose,
  pad,
  padBackward,
  gather,
  scatterAdd,
  oneHot,
  cast,
  scale,
  concat,
  confusion,
  slice,
  dropout,
  normalize,
  augment,
  mixup,
  softmaxCrossEntropy,
  meanSquaredError,
  accuracy,
  fill,
  sgd,
  adam,
  rmsprop,
  adagrad,
  l2Norm,
  clipByNorm,
  clipByValue,
}
