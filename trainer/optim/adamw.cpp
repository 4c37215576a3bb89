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
double AdamWOptimizer::squares(const Exec& exec, const Parts& grads) const {
  const Slice part = own();
  static_assert(kShardUnit == kSquaresBlock);
  std::vector<double> blocks(static_cast<std::size_t>((part.size() + kShardUnit - 1) / kShardUnit));
  grads([&](const Slice& some, const float* values) {
    ops_->block_squares(exec, values, some.size(),
                        blocks.data() + (some.begin - part.begin) / kShardUnit);
  });
  ByteWriter message;
  message.add(blocks);
  double sum = 0;
  for (const auto& bytes : comm_->all_gather(message.take(), "gradient_norm"))
    for (const double block : ByteReader(bytes).values<double>())
      sum += block;
  return sum;
}

/// Of a part of the own slice, one task a range.
std::vector<AdamW> AdamWOptimizer::tasks(const Update& update, const Slice& part,
                                         const float* grads) const {
  const Slice mine = own();
  std::vector<AdamW> tasks;
  for (const auto& range : ranges_) {
    const Index begin = std::max(range.offset, part.begin);
    const Index end = std::min(range.offset + range.size, part.end);
    if (begin >= end) continue;
    AdamW& task = tasks.emplace_back();
    task.p = update.values + begin - mine.begin;
    task.g = grads + begin - part.begin;
    float* const m = on_host() ? moments_.exp_avg.data_ptr<float>() : exp_avg_.data();
    float* const v = on_host() ? moments_.exp_avg_sq.data_ptr<float>() : exp_avg_sq_.data();
    task.m = m + begin - mine.begin;
    task.v = v + begin - mine.begin;
    task.n = end - begin;
    task.t = updates_ + 1;
    task.lr = update.learning_rate;
    task.beta1 = config_.adam_beta1;
    task.beta2 = config_.adam_beta2;
    task.eps = config_.adam_epsilon;
    task.weight_decay = range.decay ? config_.weight_decay : 0.0;
    task.grad_scale = update.scale;
  }
  return tasks;
}

/// Whether a value would reach the limit, or be NaN. The kernel treats elements by themselves: pieces have
/// the bits of the whole.
bool AdamWOptimizer::reaches(const Exec& exec, const Update& update, double limit) const {
  check(on_host(), "what fp16 weights reach is known on the host alone");
  std::atomic<bool> any = false;
  const auto look_at = [&](const AdamW& task) {
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
  };
  update.grads([&](const Slice& part, const float* grads) {
    for (const auto& task : tasks(update, part, grads))
      look_at(task);
  });
  return any;
}

/// True when the rounded values are in the copy, each below infinity.
bool AdamWOptimizer::apply(const Exec& exec, const Update& update, const RoundedCopy& copy) {
  const Memory& memory = *ops_->memory;
  std::int32_t* flag = nullptr;
  if (copy.to != nullptr) {
    flag = reinterpret_cast<std::int32_t*>(too_large_.reserve(1, memory));
    ops_->zero(exec, flag, sizeof *flag);
  }
  update.grads([&](const Slice& part, const float* grads) {
    for (auto& task : tasks(update, part, grads)) {
      if (flag != nullptr) {
        task.rounded = copy.to + (task.p - update.values);
        task.type = copy.type;
        task.too_large = flag;
      }
      ops_->adamw(exec, task);
    }
  });
  std::int32_t too_large = 0;
  if (flag != nullptr) memory.download(flag, sizeof too_large, &too_large);
  return flag != nullptr && too_large == 0;
}

UpdateStats AdamWOptimizer::step(const Exec& exec, float* values, const float* grads,
                                 double learning_rate, std::optional<double> limit,
                                 const RoundedCopy& copy) {
  const Parts whole = [&](const Body& body) { body(own(), grads); };
  return step(exec, values, whole, learning_rate, limit, copy);
}

UpdateStats AdamWOptimizer::step(const Exec& exec, float* values, const Parts& grads,
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
  const Update update{values, grads, learning_rate, stats.clip_scale};
  if (limit && comm_->any(reaches(exec, update, *limit), "agree_on_update")) {
    stats.applied = false;
    return stats;
  }
  stats.rounded = apply(exec, update, copy);
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
