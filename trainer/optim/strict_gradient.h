#pragma once
#include "trainer/comm/communicator.h"
#include "trainer/core/tensor.h"
#include "trainer/kernels/ops.h"

namespace aha {

/// A gradient sum that does not depend on the order of its terms: each unit's gradient is rounded to
/// int64 at a step of 2^-44 and added as an integer. 8 bytes a parameter.
class StrictGradient {
 public:
  StrictGradient(const Ops& ops, Index total);

  void clear();
  /// Adds one unit's gradient [total]. False when a value is not finite or a sum overflows.
  [[nodiscard]] bool add(const Exec& exec, const float* grads);
  /// True when sums like this one of `ranks` ranks cannot overflow together.
  [[nodiscard]] bool leaves_room_for(int ranks) const;
  /// The own slice of the sum over all ranks, rounded to f32 into `grads` [total]. Collective; the sum is
  /// used up.
  void reduce(const Exec& exec, Communicator& comm, const std::vector<Slice>& shards, float* grads);

 private:
  const Ops* ops_;
  Index total_;
  Tensor sum_;  ///< [total] i64
};

}  // namespace aha
