#include "trainer/optim/adamw.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "trainer/core/bytes.h"
#include "trainer/core/error.h"

namespace aha {

AdamWOptimizer::AdamWOptimizer(const Ops& ops, std::vector<ParamRange> ranges, Index total,
                               const OptimConfig& config, Communicator& comm)
    : ops_(&ops),
      ranges_(std::move(ranges)),
      config_(config),
      comm_(&comm),
      shards_(shards_of(total, comm.size())) {
  const Index size = own().size();
  if (on_host()) {
    moments_ = {at::zeros({size}, at::kFloat), at::zeros({size}, at::kFloat)};
  } else {
    exp_avg_.reserve(size, *ops.memory);
    exp_avg_sq_.reserve(size, *ops.memory);
  }
}

/// Sum of squares over all ranks' slices: blocks of fixed size, added in their order.
double AdamWOptimizer::squares(const Exec& exec, const float* grads) const {
  const Slice part = own();
  static_assert(kShardUnit == kSquaresBlock);
  std::vector<double> blocks(static_cast<std::size_t>((part.size() + kShardUnit - 1) / kShardUnit));
  ops_->block_squares(exec, grads, part.size(), blocks.data());
  ByteWriter message;
  message.add(blocks);
  double sum = 0;
  for (const auto& bytes : comm_->all_gather(message.take(), "gradient_norm"))
    for (const double block : ByteReader(bytes).values<double>())
      sum += block;
  return sum;
}

/// The next update of the own slice, one task a range.
std::vector<AdamW> AdamWOptimizer::tasks(float* values, const float* grads, double learning_rate,
                                         double scale) const {
  const Slice mine = own();
  std::vector<AdamW> tasks;
  for (const auto& range : ranges_) {
    const Index begin = std::max(range.offset, mine.begin);
    const Index end = std::min(range.offset + range.size, mine.end);
    if (begin >= end) continue;
    AdamW& task = tasks.emplace_back();
    task.p = values + begin - mine.begin;
    task.g = grads + begin - mine.begin;
    float* const m = on_host() ? moments_.exp_avg.data_ptr<float>() : exp_avg_.data();
    float* const v = on_host() ? moments_.exp_avg_sq.data_ptr<float>() : exp_avg_sq_.data();
    task.m = m + begin - mine.begin;
    task.v = v + begin - mine.begin;
    task.n = end - begin;
    task.t = updates_ + 1;
    task.lr = learning_rate;
    task.beta1 = config_.adam_beta1;
    task.beta2 = config_.adam_beta2;
    task.eps = config_.adam_epsilon;
    task.weight_decay = range.decay ? config_.weight_decay : 0.0;
    task.grad_scale = scale;
  }
  return tasks;
}

/// Whether a value would reach the limit, or be NaN. The kernel treats elements by themselves: pieces have
/// the bits of the whole.
bool AdamWOptimizer::reaches(const Exec& exec, const std::vector<AdamW>& tasks,
                             double limit) const {
  check(on_host(), "what fp16 weights reach is known on the host alone");
  std::atomic<bool> any = false;
  for (const auto& task : tasks) {
    exec.run((task.n + kShardUnit - 1) / kShardUnit, [&](std::int64_t block) {
      const Index begin = block * kShardUnit;
      AdamW part = task;
      part.n = std::min(kShardUnit, task.n - begin);
      std::vector<float> copies(task.p + begin, task.p + begin + part.n);
      copies.insert(copies.end(), task.m + begin, task.m + begin + part.n);
      copies.insert(copies.end(), task.v + begin, task.v + begin + part.n);
      part.p = copies.data();
      part.g = task.g + begin;
      part.m = part.p + part.n;
      part.v = part.m + part.n;
      ops_->adamw({}, part);
      if (!std::all_of(part.p, part.m, [&](float value) { return std::abs(value) < limit; }))
        any = true;
    });
  }
  return any;
}

/// Runs the tasks; true when their rounded values are in the copy, each below infinity.
bool AdamWOptimizer::apply(const Exec& exec, std::vector<AdamW> tasks, const float* values,
                           const RoundedCopy& copy) {
  const Memory& memory = *ops_->memory;
  std::int32_t too_large = 0;
  if (copy.to != nullptr) {
    auto* const flag = reinterpret_cast<std::int32_t*>(too_large_.reserve(1, memory));
    ops_->zero(exec, flag, sizeof *flag);
    for (auto& task : tasks) {
      task.rounded = copy.to + (task.p - values);
      task.type = copy.type;
      task.too_large = flag;
    }
  }
  for (const auto& task : tasks)
    ops_->adamw(exec, task);
  if (copy.to != nullptr) memory.download(too_large_.data(), sizeof too_large, &too_large);
  return copy.to != nullptr && too_large == 0;
}

UpdateStats AdamWOptimizer::step(const Exec& exec, float* values, const float* grads,
                                 double learning_rate, std::optional<double> limit,
                                 const RoundedCopy& copy) {
  UpdateStats stats;
  stats.grad_norm = std::sqrt(squares(exec, grads));
  if (!std::isfinite(stats.grad_norm)) {
    stats.applied = false;
    return stats;
  }
  if (config_.max_grad_norm > 0)
    stats.clip_scale = std::min(1.0, config_.max_grad_norm / (stats.grad_norm + 1e-6));
  const auto update = tasks(values, grads, learning_rate, stats.clip_scale);
  if (limit && comm_->any(reaches(exec, update, *limit), "agree_on_update")) {
    stats.applied = false;
    return stats;
  }
  stats.rounded = apply(exec, update, values, copy);
  ++updates_;
  return stats;
}

Moments AdamWOptimizer::moments() const {
  if (on_host()) return moments_;
  const Index size = own().size();
  Moments copy{at::zeros({size}, at::kFloat), at::zeros({size}, at::kFloat)};
  ops_->memory->download(exp_avg_.data(), 4 * size, copy.exp_avg.data_ptr<float>());
  ops_->memory->download(exp_avg_sq_.data(), 4 * size, copy.exp_avg_sq.data_ptr<float>());
  return copy;
}

void AdamWOptimizer::set_moments(const Moments& given) {
  if (on_host()) {
    moments_.exp_avg.copy_(given.exp_avg);
    moments_.exp_avg_sq.copy_(given.exp_avg_sq);
    return;
  }
  const Index size = own().size();
  ops_->memory->upload(given.exp_avg.const_data_ptr<float>(), 4 * size, exp_avg_.data());
  ops_->memory->upload(given.exp_avg_sq.const_data_ptr<float>(), 4 * size, exp_avg_sq_.data());
}

}  // namespace aha
