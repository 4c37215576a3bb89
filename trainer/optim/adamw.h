#pragma once
#include <vector>

#include "trainer/config/schema.h"
#include "trainer/core/tensor.h"
#include "trainer/kernels/ops.h"

namespace aha {

/// A run of parameters in the flat buffers that one decay setting covers.
struct ParamRange {
  Index offset = 0;
  Index size = 0;
  bool decay = false;
};

/// What an update did.
struct UpdateStats {
  double grad_norm = 0;   ///< before clipping
  double clip_scale = 1;  ///< factor on the gradient, <= 1
  bool applied = true;    ///< false: the norm was not finite and nothing changed
};

/// AdamW over flat f32 buffers with global-norm clipping:
///   scale = min(1, max_grad_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_.
/// The norm is summed over fixed blocks in order, so it does not depend on threads or shards.
/// Source: Loshchilov and Hutter 2019 (arXiv:1711.05101), algorithm 2.
class AdamWOptimizer {
 public:
  AdamWOptimizer(const Ops& ops, std::vector<ParamRange> ranges, Index total,
                 const OptimConfig& config);

  /// One update of `values` [total]. `grads` are read only.
  UpdateStats step(const Exec& exec, float* values, const float* grads, double learning_rate);

  Tensor& exp_avg() { return exp_avg_; }  ///< [total] f32
  const Tensor& exp_avg() const { return exp_avg_; }
  Tensor& exp_avg_sq() { return exp_avg_sq_; }  ///< [total] f32
  const Tensor& exp_avg_sq() const { return exp_avg_sq_; }
  std::int64_t updates() const { return updates_; }
  void set_updates(std::int64_t updates) { updates_ = updates; }

 private:
  const Ops* ops_;
  std::vector<ParamRange> ranges_;
  Index total_;
  OptimConfig config_;
  Tensor exp_avg_, exp_avg_sq_;
  std::int64_t updates_ = 0;
};

}  // namespace aha
