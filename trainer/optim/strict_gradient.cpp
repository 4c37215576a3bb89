#include "trainer/optim/strict_gradient.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

namespace aha {

StrictGradient::StrictGradient(const Ops& ops, Index total)
    : ops_(&ops), total_(total), sum_(at::zeros({total}, at::kLong)) {}

void StrictGradient::clear() {
  std::fill_n(sum_.data_ptr<std::int64_t>(), total_, 0);
}

bool StrictGradient::add(const Exec& exec, const float* grads) {
  return ops_->add_fixed(exec, sum_.data_ptr<std::int64_t>(), grads, total_);
}

bool StrictGradient::leaves_room_for(int ranks) const {
  if (ranks == 1) return true;
  const auto limit = std::numeric_limits<std::int64_t>::max() / ranks;
  const auto* sum = sum_.const_data_ptr<std::int64_t>();
  return std::all_of(sum, sum + total_, [=](auto v) { return v <= limit && v >= -limit; });
}

void StrictGradient::reduce(const Exec& exec, Communicator& comm, const std::vector<Slice>& shards,
                            float* grads) {
  auto* sum = sum_.data_ptr<std::int64_t>();
  comm.reduce_to_owners(sum, shards, "reduce_gradients");
  const Slice own = shards[static_cast<std::size_t>(comm.rank())];
  ops_->from_fixed(exec, sum + own.begin, grads + own.begin, own.size());
}

}  // namespace aha
