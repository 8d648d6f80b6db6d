// SPDX-License-Identifier: MIT
// What each op's file gives to the list in ops.cpp.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "../program/step.h"

namespace convlane {

using StepPointer = std::unique_ptr<Step>;

StepPointer make_convolution(const StepSpec& spec);  // one to three axes each: the op's name says how many
StepPointer make_convolution_backward_input(const StepSpec& spec);
StepPointer make_convolution_backward_weights(const StepSpec& spec);
StepPointer make_transposed_convolution(const StepSpec& spec);
std::vector<std::string> convolution_algorithms(const StepSpec& spec);
std::vector<std::string> convolution_backward_input_algorithms(const StepSpec& spec);
std::vector<std::string> convolution_backward_weights_algorithms(const StepSpec& spec);
std::vector<std::string> transposed_convolution_algorithms(const StepSpec& spec);
StepPointer make_bias_gradient(const StepSpec& spec);
StepPointer make_max_pool(const StepSpec& spec);
StepPointer make_max_pool_backward(const StepSpec& spec);
StepPointer make_average_pool(const StepSpec& spec);
StepPointer make_average_pool_backward(const StepSpec& spec);
StepPointer make_lp_pool(const StepSpec& spec);
StepPointer make_lp_pool_backward(const StepSpec& spec);
StepPointer make_adaptive_average_pool(const StepSpec& spec);
StepPointer make_adaptive_average_pool_backward(const StepSpec& spec);
StepPointer make_resize(const StepSpec& spec);
StepPointer make_resize_backward(const StepSpec& spec);
StepPointer make_batch_norm(const StepSpec& spec);
StepPointer make_batch_norm_inference(const StepSpec& spec);
StepPointer make_batch_norm_backward(const StepSpec& spec);
StepPointer make_row_norm(const StepSpec& spec);  // layerNorm, rmsNorm
StepPointer make_row_norm_backward(const StepSpec& spec);
StepPointer make_group_norm(const StepSpec& spec);
StepPointer make_group_norm_backward(const StepSpec& spec);
StepPointer make_moving_average(const StepSpec& spec);
StepPointer make_dense(const StepSpec& spec);
StepPointer make_matmul(const StepSpec& spec);
StepPointer make_relu(const StepSpec& spec);
StepPointer make_sigmoid(const StepSpec& spec);
StepPointer make_tanh(const StepSpec& spec);
StepPointer make_relu_backward(const StepSpec& spec);
StepPointer make_sigmoid_backward(const StepSpec& spec);
StepPointer make_tanh_backward(const StepSpec& spec);
StepPointer make_activation(const StepSpec& spec);  // of the op's name
StepPointer make_activation_backward(const StepSpec& spec);
StepPointer make_softmax(const StepSpec& spec);
StepPointer make_softmax_backward(const StepSpec& spec);
StepPointer make_add(const StepSpec& spec);
StepPointer make_multiply(const StepSpec& spec);
StepPointer make_sub(const StepSpec& spec);
StepPointer make_div(const StepSpec& spec);
StepPointer make_pow(const StepSpec& spec);
StepPointer make_minimum(const StepSpec& spec);
StepPointer make_maximum(const StepSpec& spec);
StepPointer make_prelu(const StepSpec& spec);
StepPointer make_equal(const StepSpec& spec);
StepPointer make_not_equal(const StepSpec& spec);
StepPointer make_less(const StepSpec& spec);
StepPointer make_less_equal(const StepSpec& spec);
StepPointer make_where(const StepSpec& spec);
StepPointer make_exp(const StepSpec& spec);
StepPointer make_log(const StepSpec& spec);
StepPointer make_sqrt(const StepSpec& spec);
StepPointer make_abs(const StepSpec& spec);
StepPointer make_sign(const StepSpec& spec);
StepPointer make_clip(const StepSpec& spec);
StepPointer make_sum(const StepSpec& spec);
StepPointer make_max(const StepSpec& spec);
StepPointer make_min(const StepSpec& spec);
StepPointer make_broadcast_to(const StepSpec& spec);
StepPointer make_transpose(const StepSpec& spec);
StepPointer make_pad(const StepSpec& spec);
StepPointer make_pad_backward(const StepSpec& spec);
StepPointer make_gather(const StepSpec& spec);
StepPointer make_scatter_add(const StepSpec& spec);
StepPointer make_one_hot(const StepSpec& spec);
StepPointer make_cast(const StepSpec& spec);
StepPointer make_scale(const StepSpec& spec);
StepPointer make_concat(const StepSpec& spec);
StepPointer make_slice(const StepSpec& spec);
StepPointer make_dropout(const StepSpec& spec);
StepPointer make_normalize(const StepSpec& spec);
StepPointer make_augment(const StepSpec& spec);
StepPointer make_mixup(const StepSpec& spec);
StepPointer make_softmax_cross_entropy(const StepSpec& spec);
StepPointer make_mean_squared_error(const StepSpec& spec);
StepPointer make_accuracy(const StepSpec& spec);
StepPointer make_confusion(const StepSpec& spec);
StepPointer make_fill(const StepSpec& spec);
StepPointer make_sgd(const StepSpec& spec);
StepPointer make_adam(const StepSpec& spec);
StepPointer make_rmsprop(const StepSpec& spec);
StepPointer make_adagrad(const StepSpec& spec);
StepPointer make_l2_norm(const StepSpec& spec);
StepPointer make_clip_by_norm(const StepSpec& spec);
StepPointer make_clip_by_value(const StepSpec& spec);
StepPointer make_constrain(const StepSpec& spec);

}  // namespace convlane
