// SPDX-License-Identifier: MIT
// The one list of ops: docs/steps.md says what each does.
#include "ops.h"

namespace convlane {

namespace {

// Never destroyed: threads may look an op up while the process exits.
const std::vector<OpEntry>& ops() {
  static const auto* list = new std::vector<OpEntry>{
      // name, outputs, updates, in place, make, algorithms
      {"conv1d", {"y"}, {}, false, make_convolution, convolution_algorithms},
      {"conv1dBackwardInput", {"dx"}, {}, false, make_convolution_backward_input, convolution_backward_input_algorithms},
      {"conv1dBackwardWeights", {"dw"}, {}, false, make_convolution_backward_weights, convolution_backward_weights_algorithms},
      {"conv2d", {"y"}, {}, false, make_convolution, convolution_algorithms},
      {"conv2dBackwardInput", {"dx"}, {}, false, make_convolution_backward_input, convolution_backward_input_algorithms},
      {"conv2dBackwardWeights", {"dw"}, {}, false, make_convolution_backward_weights, convolution_backward_weights_algorithms},
      {"conv3d", {"y"}, {}, false, make_convolution, convolution_algorithms},
      {"conv3dBackwardInput", {"dx"}, {}, false, make_convolution_backward_input, convolution_backward_input_algorithms},
      {"conv3dBackwardWeights", {"dw"}, {}, false, make_convolution_backward_weights, convolution_backward_weights_algorithms},
      {"convTranspose1d", {"y"}, {}, false, make_transposed_convolution, transposed_convolution_algorithms},
      {"convTranspose2d", {"y"}, {}, false, make_transposed_convolution, transposed_convolution_algorithms},
      {"convTranspose3d", {"y"}, {}, false, make_transposed_convolution, transposed_convolution_algorithms},
      {"biasGradient", {"db"}, {}, false, make_bias_gradient, nullptr},
      {"maxPool1d", {"y", "positions"}, {}, false, make_max_pool, nullptr},
      {"maxPool1dBackward", {"dx"}, {}, false, make_max_pool_backward, nullptr},
      {"averagePool1d", {"y"}, {}, false, make_average_pool, nullptr},
      {"averagePool1dBackward", {"dx"}, {}, false, make_average_pool_backward, nullptr},
      {"adaptiveAveragePool1d", {"y"}, {}, false, make_adaptive_average_pool, nullptr},
      {"adaptiveAveragePool1dBackward", {"dx"}, {}, false, make_adaptive_average_pool_backward, nullptr},
      {"lpPool1d", {"y"}, {}, false, make_lp_pool, nullptr},
      {"lpPool1dBackward", {"dx"}, {}, false, make_lp_pool_backward, nullptr},
      {"maxPool2d", {"y", "positions"}, {}, false, make_max_pool, nullptr},
      {"maxPool2dBackward", {"dx"}, {}, false, make_max_pool_backward, nullptr},
      {"averagePool2d", {"y"}, {}, false, make_average_pool, nullptr},
      {"averagePool2dBackward", {"dx"}, {}, false, make_average_pool_backward, nullptr},
      {"adaptiveAveragePool2d", {"y"}, {}, false, make_adaptive_average_pool, nullptr},
      {"adaptiveAveragePool2dBackward", {"dx"}, {}, false, make_adaptive_average_pool_backward, nullptr},
      {"lpPool2d", {"y"}, {}, false, make_lp_pool, nullptr},
      {"lpPool2dBackward", {"dx"}, {}, false, make_lp_pool_backward, nullptr},
      {"maxPool3d", {"y", "positions"}, {}, false, make_max_pool, nullptr},
      {"maxPool3dBackward", {"dx"}, {}, false, make_max_pool_backward, nullptr},
      {"averagePool3d", {"y"}, {}, false, make_average_pool, nullptr},
      {"averagePool3dBackward", {"dx"}, {}, false, make_average_pool_backward, nullptr},
      {"adaptiveAveragePool3d", {"y"}, {}, false, make_adaptive_average_pool, nullptr},
      {"adaptiveAveragePool3dBackward", {"dx"}, {}, false, make_adaptive_average_pool_backward, nullptr},
      {"lpPool3d", {"y"}, {}, false, make_lp_pool, nullptr},
      {"lpPool3dBackward", {"dx"}, {}, false, make_lp_pool_backward, nullptr},
      {"batchNorm", {"y", "mean", "variance"}, {}, false, make_batch_norm, nullptr},
      {"batchNormInference", {"y"}, {}, true, make_batch_norm_inference, nullptr},
      {"batchNormBackward", {"dx", "dgamma", "dbeta"}, {}, false, make_batch_norm_backward, nullptr},
      {"movingAverage", {}, {"param"}, false, make_moving_average, nullptr},
      {"dense", {"y"}, {}, false, make_dense, nullptr},
      {"matmul", {"y"}, {}, false, make_matmul, nullptr},
      {"relu", {"y"}, {}, true, make_relu, nullptr},
      {"sigmoid", {"y"}, {}, true, make_sigmoid, nullptr},
      {"tanh", {"y"}, {}, true, make_tanh, nullptr},
      {"reluBackward", {"dx"}, {}, true, make_relu_backward, nullptr},
      {"sigmoidBackward", {"dx"}, {}, true, make_sigmoid_backward, nullptr},
      {"tanhBackward", {"dx"}, {}, true, make_tanh_backward, nullptr},
      {"softmax", {"y"}, {}, true, make_softmax, nullptr},
      {"softmaxBackward", {"dx"}, {}, true, make_softmax_backward, nullptr},
      {"add", {"y"}, {}, true, make_add, nullptr},
      {"multiply", {"y"}, {}, true, make_multiply, nullptr},
      {"sub", {"y"}, {}, true, make_sub, nullptr},
      {"div", {"y"}, {}, true, make_div, nullptr},
      {"pow", {"y"}, {}, true, make_pow, nullptr},
      {"minimum", {"y"}, {}, true, make_minimum, nullptr},
      {"maximum", {"y"}, {}, true, make_maximum, nullptr},
      {"equal", {"y"}, {}, true, make_equal, nullptr},
      {"notEqual", {"y"}, {}, true, make_not_equal, nullptr},
      {"less", {"y"}, {}, true, make_less, nullptr},
      {"lessEqual", {"y"}, {}, true, make_less_equal, nullptr},
      {"where", {"y"}, {}, true, make_where, nullptr},
      {"exp", {"y"}, {}, true, make_exp, nullptr},
      {"log", {"y"}, {}, true, make_log, nullptr},
      {"sqrt", {"y"}, {}, true, make_sqrt, nullptr},
      {"abs", {"y"}, {}, true, make_abs, nullptr},
      {"sign", {"y"}, {}, true, make_sign, nullptr},
      {"clip", {"y"}, {}, true, make_clip, nullptr},
      {"sum", {"y"}, {}, false, make_sum, nullptr},
      {"max", {"y"}, {}, false, make_max, nullptr},
      {"min", {"y"}, {}, false, make_min, nullptr},
      {"broadcastTo", {"y"}, {}, false, make_broadcast_to, nullptr},
      {"transpose", {"y"}, {}, false, make_transpose, nullptr},
      {"scale", {"y"}, {}, true, make_scale, nullptr},
      {"concat", {"y"}, {}, false, make_concat, nullptr},
      {"slice", {"y"}, {}, false, make_slice, nullptr},
      {"dropout", {"y"}, {}, true, make_dropout, nullptr},
      {"normalize", {"y"}, {}, false, make_normalize, nullptr},
      {"softmaxCrossEntropy", {"loss", "dlogits"}, {}, false, make_softmax_cross_entropy, nullptr},
      {"meanSquaredError", {"loss", "dpredictions"}, {}, false, make_mean_squared_error, nullptr},
      {"accuracy", {"correct"}, {}, false, make_accuracy, nullptr},
      {"fill", {"y"}, {}, false, make_fill, nullptr},
      {"sgd", {}, {"param", "velocity"}, false, make_sgd, nullptr},
      {"adam", {}, {"param", "m", "v"}, false, make_adam, nullptr},
      {"rmsprop", {}, {"param", "square", "mean", "velocity"}, false, make_rmsprop, nullptr},
      {"adagrad", {}, {"param", "sum"}, false, make_adagrad, nullptr},
      {"l2Norm", {"norm"}, {}, false, make_l2_norm, nullptr},
      {"clipByNorm", {"y"}, {}, true, make_clip_by_norm, nullptr},
      {"clipByValue", {"y"}, {}, true, make_clip_by_value, nullptr},
  };
  return *list;
}

}  // namespace

const OpEntry* find_op(const std::string& name) {
  for (const OpEntry& op : ops()) {
    if (name == op.name) return &op;
  }
  return nullptr;
}

}  // namespace convlane
