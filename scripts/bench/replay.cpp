#include "scripts/bench/replay.h"

#include <algorithm>
#include <cmath>

#include "trainer/run/update.h"

namespace aha_bench {
namespace {

using namespace aha;
using Floats = std::vector<float>;

/// Of a table's memory.
Floats copy_of(const Memory& memory, const float* from, std::int64_t n) {
  Floats values(static_cast<std::size_t>(n));
  memory.download(from, 4 * n, values.data());
  return values;
}

double distance(const Floats& a, const Floats& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += (double{a[i]} - double{b[i]}) * (double{a[i]} - double{b[i]});
  return std::sqrt(sum);
}

double ratio(double part, double whole) {
  return part == 0 ? 0 : part / whole;
}

using PerToken = std::vector<std::vector<std::vector<float>>>;

/// Not-a-number is kept.
void compare_logprobs(const PerToken& a, const PerToken& b, ReplayGaps& gaps) {
  double sum = 0;
  for (std::size_t g = 0; g < a.size(); ++g)
    for (std::size_t c = 0; c < a[g].size(); ++c)
      for (std::size_t t = 0; t < a[g][c].size(); ++t) {
        const double gap = std::abs(double{a[g][c][t]} - double{b[g][c][t]});
        if (std::isnan(gap) || gap > gaps.logprob_max) gaps.logprob_max = gap;
        sum += gap;
        ++gaps.tokens;
      }
  gaps.logprob_mean = sum / static_cast<double>(std::max<std::int64_t>(1, gaps.tokens));
}

}  // namespace

struct Replay::Side {
  Side(const Config& config, const Ops& ops, int threads)
      : machine(threads, ops),
        policy(make_policy(config, machine)),
        stage(make_stage(config, 0, machine, policy, comm)) {}

  PerToken logprobs(std::span<const Group> groups) {
    std::vector<SampleRef> samples;
    for (std::size_t g = 0; g < groups.size(); ++g)
      for (std::size_t c = 0; c < groups[g].completions.size(); ++c)
        samples.push_back({g, c});
    return token_logprobs(*stage, *policy.weights, groups, samples);
  }
  double train(Collected collected) {
    MetricsRow row(stage->settings.name, stage->step + 1, stage->global_step + 1);
    train_on(*stage, std::move(collected), row, ReflectionWords({}));
    ++stage->step;
    ++stage->global_step;
    return row.get("loss").value_or(NAN);
  }
  Floats gradient() const {
    std::vector<float> all;
    stage->gradients.each_part([&](const Slice& part, const float* values) {
      const auto some = copy_of(*machine.ops.memory, values, part.size());
      all.insert(all.end(), some.begin(), some.end());
    });
    return all;
  }
  Floats weights() const {
    return copy_of(*machine.ops.memory, policy.weights->data(), policy.layout.total);
  }

  void begin_where(Side& from) {
    policy.weights->assign(from.policy.weights->values());
    policy.weights->publish();
    policy.weights->settle();
    stage->optimizer.set_moments(from.stage->optimizer.moments());
  }

  Machine machine;
  Policy policy;
  Communicator comm;
  std::unique_ptr<Stage> stage;
};

Replay::Replay(const Config& config, const Ops& other, int threads)
    : config_(config),
      cpu_(std::make_unique<Side>(config_, cpu_ops(), threads)),
      other_(std::make_unique<Side>(config_, other, threads)),
      start_(cpu_->weights()) {}

Replay::~Replay() = default;

FloatType Replay::storage() const {
  return cpu_->policy.weights->storage();
}

ReplayGaps Replay::step() {
  ReplayGaps gaps;
  gaps.step = cpu_->stage->step + 1;
  const Collected collected = *collect(*cpu_->stage, [] { return false; });
  compare_logprobs(cpu_->logprobs(collected.groups), other_->logprobs(collected.groups), gaps);
  gaps.loss = cpu_->train(collected);
  other_->train(collected);
  const Floats gradient = cpu_->gradient();
  gaps.gradient = ratio(distance(other_->gradient(), gradient),
                        distance(gradient, Floats(gradient.size(), 0.0F)));
  const Floats weights = cpu_->weights();
  gaps.weights = ratio(distance(other_->weights(), weights), distance(weights, start_));
  if (from_one_place()) {
    other_->begin_where(*cpu_);
    start_ = weights;
  }
  return gaps;
}

}  // namespace aha_bench
