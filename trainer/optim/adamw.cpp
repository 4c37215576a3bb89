#include "trainer/optim/adamw.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "trainer/core/bytes.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

/// The flat buffer [total] whose slices the ranks hold.
Tensor whole(Communicator& comm, const std::vector<Slice>& shards, const Tensor& own) {
  if (comm.size() == 1) return own;
  Tensor all = at::zeros({shards.back().end}, at::kFloat);
  const Slice slice = shards[static_cast<std::size_t>(comm.rank())];
  all.slice(0, slice.begin, slice.end).copy_(own);
  comm.share_from_owners(all.data_ptr<float>(), shards, "gather_moments");
  return all;
}

}  // namespace

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
    check(comm.size() == 1, "a device is not shared by ranks yet");
    exp_avg_.reserve(size, *ops.memory);
    exp_avg_sq_.reserve(size, *ops.memory);
  }
}

/// Sum of squares over all ranks' slices: blocks of fixed size, added in their order.
double AdamWOptimizer::squares(const Exec& exec, const float* grads) const {
  const Slice part = own();
  static_assert(kShardUnit == kSquaresBlock);
  std::vector<double> blocks(static_cast<std::size_t>((part.size() + kShardUnit - 1) / kShardUnit));
  ops_->block_squares(exec, grads + part.begin, part.size(), blocks.data());
  ByteWriter message;
  message.add(blocks);
  double sum = 0;
  for (const auto& bytes : comm_->all_gather(message.take(), "gradient_norm"))
    for (const double block : ByteReader(bytes).values<double>())
      sum += block;
  return sum;
}

UpdateStats AdamWOptimizer::step(const Exec& exec, float* values, const float* grads,
                                 double learning_rate) {
  UpdateStats stats;
  stats.grad_norm = std::sqrt(squares(exec, grads));
  if (!std::isfinite(stats.grad_norm)) {
    stats.applied = false;
    return stats;
  }
  if (config_.max_grad_norm > 0)
    stats.clip_scale = std::min(1.0, config_.max_grad_norm / (stats.grad_norm + 1e-6));
  ++updates_;
  const Slice mine = own();
  for (const auto& range : ranges_) {
    const Index begin = std::max(range.offset, mine.begin);
    const Index end = std::min(range.offset + range.size, mine.end);
    if (begin >= end) continue;
    AdamW task{};
    task.p = values + begin;
    task.g = grads + begin;
    float* const m = on_host() ? moments_.exp_avg.data_ptr<float>() : exp_avg_.data();
    float* const v = on_host() ? moments_.exp_avg_sq.data_ptr<float>() : exp_avg_sq_.data();
    task.m = m + begin - mine.begin;
    task.v = v + begin - mine.begin;
    task.n = end - begin;
    task.t = updates_;
    task.lr = learning_rate;
    task.beta1 = config_.adam_beta1;
    task.beta2 = config_.adam_beta2;
    task.eps = config_.adam_epsilon;
    task.weight_decay = range.decay ? config_.weight_decay : 0.0;
    task.grad_scale = stats.clip_scale;
    ops_->adamw(exec, task);
  }
  comm_->share_from_owners(values, shards_, "share_weights");
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

Moments AdamWOptimizer::whole_moments() const {
  const Moments mine = moments();
  return {whole(*comm_, shards_, mine.exp_avg), whole(*comm_, shards_, mine.exp_avg_sq)};
}

void AdamWOptimizer::take_from_whole(const Moments& whole) {
  const Slice mine = own();
  set_moments({whole.exp_avg.slice(0, mine.begin, mine.end),
               whole.exp_avg_sq.slice(0, mine.begin, mine.end)});
}

}  // namespace aha
