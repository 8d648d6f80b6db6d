import { accuracy } from './accuracy'
import { adagrad } from './adagrad'
import { adam } from './adam'
import { add } from './add'
import { abs, clip, div, equal, exp, less, lessEqual, log, maximum, minimum, multiply, notEqual, pow, sign, sqrt, sub } from './arithmetic'
import { averagePool2d, averagePool2dBackward } from './averagePool2d'
import { biasGradient } from './biasGradient'
import { broadcastTo, where } from './broadcast'
import { clipByNorm, clipByValue, l2Norm } from './clip'

import { concat } from './concat'
import { convolution, convolutionBackwardInput, convolutionBackwardWeights, transposedConvolution } from './convolution'
import { dense } from './dense'
import { dropout } from './dropout'
import { fill } from './fill'
import { matmul } from './matmul'
import { maxPool2d, maxPool2dBackward } from './maxPool2d'
import { meanSquaredError } from './meanSquaredError'
import { normalize } from './normalize'
import { max, min, sum } from './reduce'
import { relu, reluBackward } from './relu'
import { rmsprop } from './rmsprop'
import { scale } from './scale'
import { sgd } from './sgd'
import { sigmoid, sigmoidBackward } from './sigmoid'
import { slice } from './slice'
import { softmax, softmaxBackward } from './softmax'
import { softmaxCrossEntropy } from './softmaxCrossEntropy'
import type { ReferenceStep } from './step'
import { tanh, tanhBackward } from './tanh'
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
  maxPool2d,
  maxPool2dBackward,
  averagePool2d,
  averagePool2dBackward,
  dense,
  matmul,
  relu,
  reluBackward,
  sigmoid,
  sigmoidBackward,
  tanh,
  tanhBackward,
  softmax,
  softmaxBackward,
  add,
  multiply,
  sub,
  div,
  pow,
  minimum,
  maximum,
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
  scale,
  concat,
  slice,
  dropout,
  normalize,
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
