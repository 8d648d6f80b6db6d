// SPDX-License-Identifier: MIT
#include "strided.h"

namespace convlane {

void check_broadcast(const StepSpec& spec, const char* name, const Operand& operand, const char* result_name, const Operand& result) {
  const auto mismatch = [&] {
    refuse(spec, std::string(name) + " has shape " + shape_text(operand) + ", " + result_name + " has " + shape_text(result));
  };
  const int32_t lead = result.rank - operand.rank;
  if (lead < 0) mismatch();
  for (int32_t axis = 0; axis < operand.rank; ++axis) {
    if (operand.shape[axis] != 1 && operand.shape[axis] != result.shape[axis + lead]) mismatch();
  }
  if (operand.batched && !(result.batched && lead == 0)) {
    refuse(spec, std::string(name) + " is batched, and " + result_name + " has no batch there");
  }
  if (result.batched && !operand.batched && lead == 0 && operand.shape[0] != 1) {
    refuse(spec, std::string(name) + " is not batched, and " + result_name + " is");
  }
}

void check_result(const StepSpec& spec, const char* result_name, const Operand& result, const Operand* const* operands, int count) {
  for (int32_t axis = 0; axis < result.rank; ++axis) {
    const bool batch = axis == 0 && result.batched;
    bool found = result.shape[axis] == 1 && !batch;
    for (int k = 0; k < count && !found; ++k) {
      const int32_t own = axis - (result.rank - operands[k]->rank);
      found = own >= 0 && (batch ? operands[k]->batched : operands[k]->shape[own] == result.shape[axis]);
    }
    if (!found) refuse(spec, std::string(result_name) + " has shape " + shape_text(result) + ", which the operands don't give");
  }
}

}  // namespace convlane
