#include "trainer/optim/strict_gradient.h"

#include <ATen/ops/zeros.h>

#include <algorithm>

namespace aha {

StrictGradient::StrictGradient(const Ops& ops, Index total)
    : ops_(&ops), total_(total), sum_(at::zeros({total}, at::kLong)) {}

void StrictGradient::clear() {
  std::fill_n(sum_.data_ptr<std::int64_t>(), total_, 0);
}

bool StrictGradient::add(const Exec& exec, const float* grads) {
  return ops_->add_fixed(exec, sum_.data_ptr<std::int64_t>(), grads, total_);
}

void StrictGradient::read(const Exec& exec, float* grads) const {
  ops_->from_fixed(exec, sum_.data_ptr<std::int64_t>(), grads, total_);
}

}  // namespace aha
