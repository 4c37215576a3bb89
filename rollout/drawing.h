#pragma once
#include <vector>

#include "rollout/sequence.h"
#include "trainer/kernels/device_ops.h"

namespace aha {

/// Tokens that were asked for: `steps` of each sequence.
struct Drawing {
  std::vector<Sequence*> sequences;  ///< by row; null: it has ended since
  std::int64_t steps = 1;
  std::vector<DrawnToken> tokens;  ///< [steps, rows] once they are received

  /// Of a device: where they will be, [steps, stride], and the mark to wait for.
  const DrawnToken* arriving = nullptr;
  Index stride = 0;
  std::int64_t mark = 0;
};

}  // namespace aha
