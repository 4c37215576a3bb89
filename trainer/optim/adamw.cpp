#include "trainer/optim/adamw.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace aha {

AdamWOptimizer::AdamWOptimizer(const Ops& ops, std::vector<ParamRange> ranges, Index total,
                               const OptimConfig& config)
    : ops_(&ops),
      ranges_(std::move(ranges)),
      total_(total),
      config_(config),
      exp_avg_(at::zeros({total}, at::kFloat)),
      exp_avg_sq_(at::zeros({total}, at::kFloat)) {}

UpdateStats AdamWOptimizer::step(const Exec& exec, float* values, const float* grads,
                                 double learning_rate) {
  UpdateStats stats;
  stats.grad_norm = std::sqrt(ops_->sum_squares(exec, grads, total_));
  if (!std::isfinite(stats.grad_norm)) {
    stats.applied = false;
    return stats;
  }
  if (config_.max_grad_norm > 0)
    stats.clip_scale = std::min(1.0, config_.max_grad_norm / (stats.grad_norm + 1e-6));
  ++updates_;
  for (const auto& range : ranges_) {
    AdamW task{};
    task.p = values + range.offset;
    task.g = grads + range.offset;
    task.m = exp_avg_.data_ptr<float>() + range.offset;
    task.v = exp_avg_sq_.data_ptr<float>() + range.offset;
    task.n = range.size;
    task.t = updates_;
    task.lr = learning_rate;
    task.beta1 = config_.adam_beta1;
    task.beta2 = config_.adam_beta2;
    task.eps = config_.adam_epsilon;
    task.weight_decay = range.decay ? config_.weight_decay : 0.0;
    task.grad_scale = stats.clip_scale;
    ops_->adamw(exec, task);
  }
  return stats;
}

}  // namespace aha
