// SPDX-License-Identifier: MIT
#include <type_traits>

#include "column_sums.h"
#include "columns_convolution.h"
#include "conv_algorithm.h"
#include "depthwise_strip_weights.h"
#include "depthwise_weights.h"
#include "few_channels.h"
#include "gemm.h"
#include "grouped_weights.h"
#include "depthwise_line_weights.h"
#include "ops.h"
#include "pointwise_weights.h"
#include "winograd.h"

namespace convlane {

namespace {

// Whether a form sums up dy for the bias while it reads it.
template <class Form>
constexpr bool kSumsBias = std::is_invocable_v<decltype(&Form::run), const Form&, int64_t, const float*, const float*, float*, float*, float*>;

// Images of one pixel: dw = xᵀ · dy, whose reduction is often too short to pack anything for.
class DenseWeights {
 public:
  explicit DenseWeights(const ConvGeometry& geometry) : geometry_(geometry) {}
  int64_t scratch_floats(int64_t n) const { return gemm_scratch_floats(sizes(n), true); }
  void run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const {
    gemm(sizes(n), x, dy, nullptr, Activation::linear, dw, scratch);
  }

 private:
  GemmSizes sizes(int64_t n) const { return {geometry_.c, geometry_.oc, geometry_.batch.of(n), true, false}; }

  ConvGeometry geometry_;
};

// Form: scratch_floats(n), and run(n, x, dy, dw, scratch), or with `db` or null before the scratch memory.
template <class Form>
class ConvolutionBackwardWeights : public Step {
 public:
  ConvolutionBackwardWeights(const StepSpec& spec, ConvAlgorithm algorithm, Form form)
      : dy_(spec.operand("dy")), x_(spec.operand("x")), dw_(spec.operand("dw")), algorithm_(algorithm), form_(std::move(form)) {
    if (const Operand* db = optional_tensor(spec, "db", 1)) {
      not_batched(spec, "db", *db);
      expect_size(spec, "db", "size", db->shape[0], "dy", last_size(dy_));
      db_ = *db;
      has_db_ = true;
    }
  }

  int64_t scratch_floats(int64_t n) const override {
    return std::max(form_.scratch_floats(n), has_db_ && !kSumsBias<Form> ? sums(n).scratch_floats() : 0);
  }
  const char* algorithm() const override { return algorithm_name(algorithm_); }
  void run(const RunContext& context) const override {
    const float *x = context.at(x_), *dy = context.at(dy_);
    float* db = has_db_ ? context.at(db_) : nullptr;
    if constexpr (kSumsBias<Form>) {
      form_.run(context.n, x, dy, context.at(dw_), db, context.scratch);
    } else {
      form_.run(context.n, x, dy, context.at(dw_), context.scratch);
      if (has_db_) sums(context.n).run(dy, db, context.scratch);
    }
  }

 private:
  ColumnSums sums(int64_t n) const { return {dy_.elements(n) / last_size(dy_), last_size(dy_)}; }

  Operand dy_, x_, dw_, db_;
  bool has_db_ = false;
  ConvAlgorithm algorithm_;
  Form form_;
};

}  // namespace

StepPointer make_convolution_backward_weights(const StepSpec& spec) {
  const ConvGeometry geometry = conv_geometry(spec, "x", "dw", "dy");
  const ConvAlgorithm algorithm = conv_algorithm(spec, geometry, ConvPass::weight_gradient);
  const ConvGeometry g = geometry_for(algorithm, geometry, ConvPass::weight_gradient);
  if (const int64_t outputs = winograd_outputs(algorithm)) {
    return std::make_unique<ConvolutionBackwardWeights<WinogradFilterGradient>>(spec, algorithm, WinogradFilterGradient(g, *winograd_kernels(g, outputs)));
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_strip_weights_fit(g)) {
    return std::make_unique<ConvolutionBackwardWeights<DepthwiseStripWeights>>(spec, algorithm, DepthwiseStripWeights(g));
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_weights_fit(g)) {
    return std::make_unique<ConvolutionBackwardWeights<DepthwiseWeights>>(spec, algorithm, DepthwiseWeights(g));
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_lines_fit(g)) {
    return std::make_unique<ConvolutionBackwardWeights<DepthwiseLineWeights>>(spec, algorithm, DepthwiseLineWeights(g));
  }
  if (algorithm == ConvAlgorithm::direct && g.groups > 1) {
    return std::make_unique<ConvolutionBackwardWeights<GroupedWeights>>(spec, algorithm, GroupedWeights(g));
  }
  if (algorithm == ConvAlgorithm::direct) return std::make_unique<ConvolutionBackwardWeights<FewWeights>>(spec, algorithm, FewWeights(g));
  if (algorithm == ConvAlgorithm::indirect && g.dense()) {
    return std::make_unique<ConvolutionBackwardWeights<DenseWeights>>(spec, algorithm, DenseWeights(g));
  }
  if (algorithm == ConvAlgorithm::indirect && pointwise_weights_fit(g)) {
    return std::make_unique<ConvolutionBackwardWeights<PointwiseWeights>>(spec, algorithm, PointwiseWeights(g));
  }
  const Patches patches = algorithm == ConvAlgorithm::im2col ? Patches::copied : Patches::indirect;
  return std::make_unique<ConvolutionBackwardWeights<ColumnsConvolution>>(spec, algorithm, ColumnsConvolution(g, patches));
}

std::vector<std::string> convolution_backward_weights_algorithms(const StepSpec& spec) {
  return conv_algorithms(conv_geometry(spec, "x", "dw", "dy"), ConvPass::weight_gradient);
}

}  // namespace convlane
