#include "scripts/bench/gpu/workload.h"

#include <algorithm>
#include <functional>

#include "scripts/bench/timing.h"
#include "trainer/core/clock.h"
#include "trainer/core/error.h"
#include "trainer/objective/deal.h"

namespace aha_bench {

using namespace aha;

struct Workload::Training {
  Training(const ModelConfig& config, const ParameterLayout& layout, const Decoder& decoder,
           const Exec& exec)
      : learner(decoder, exec, config.vocab_size, 1.0),
        gradients(layout, decoder.ops(), exec, comm, {}),
        optimizer(decoder.ops(), {{0, layout.total, false}}, layout.total, {}, comm) {}

  Communicator comm;
  Learner learner;
  GradientSum gradients;
  AdamWOptimizer optimizer;
};

Workload::Workload(const ModelConfig& config, const Ops& ops, const Exec& exec, FloatType storage)
    : config_(config),
      layout_(make_layout(config)),
      ops_(&ops),
      exec_(exec),
      decoder_(config, ops),
      weights_(config, layout_, ops, init_parameters(layout_, config, 1, exec), storage) {
  weights_.publish(exec_);
}

std::vector<GroupRequest> Workload::requests(const Load& load) const {
  const std::size_t samples = load.outputs.size() / load.prompts.size();
  std::vector<GroupRequest> requests(load.prompts.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].ordinal = i;
    requests[i].samples = static_cast<std::int64_t>(samples);
    requests[i].max_completion_length = load.outputs[i * samples];
    for (std::int64_t t = 0; t < load.prompts[i]; ++t)
      requests[i].prompt.ids.push_back(static_cast<TokenId>(7919 * (i + 1) + 104'729U * t) %
                                       config_.vocab_size);
  }
  return requests;
}

std::vector<Group> Workload::generate(const std::vector<GroupRequest>& requests) {
  if (!engine_)
    engine_ = std::make_unique<Engine>(decoder_, weights_, exec_, config_.vocab_size, DecodeText{});
  SamplingParams params;
  params.max_completion_length = 1;
  for (const auto& request : requests)
    params.max_completion_length =
        std::max(params.max_completion_length, request.max_completion_length);
  return engine_->generate(requests, params);
}

Workload::Update Workload::train(const std::vector<Group>& groups,
                                 std::int64_t rows_of_a_micro_batch) {
  if (!training_) training_ = std::make_shared<Training>(config_, layout_, decoder_, exec_);
  Training& t = *training_;
  Update update;
  std::vector<SampleRef> samples;
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (std::size_t c = 0; c < groups[g].completions.size(); ++c)
      samples.push_back({g, c});
  auto start = Clock::now();
  PackLimits limits;
  limits.max_tokens = rows_of_a_micro_batch;
  const auto batches = deal_micro_batches(groups, samples, limits, 1).front();
  update.pack = seconds_since(start);
  t.gradients.begin(std::ssize(batches), std::ssize(batches));
  for (const auto& batch : batches) {
    start = Clock::now();
    const MicroBatch micro = pack(groups, batch.sections);
    update.pack += seconds_since(start);
    start = Clock::now();
    (void)t.learner.forward(weights_, micro);
    const std::vector<float> slope(static_cast<std::size_t>(micro.tokens()), -1e-4F);
    t.learner.backward(weights_, micro, slope, {}, t.gradients);
    check(t.gradients.end_batch(), "gradients of random weights are finite");
    wait();
    update.passes += seconds_since(start);
    update.rows += micro.rows();
    update.tokens += micro.tokens();
    ++update.micro_batches;
  }
  start = Clock::now();
  check(t.gradients.finish(), "one rank's sum is finite");
  const auto stats = t.optimizer.step(exec_, weights_.data(), t.gradients.own(), 1e-6, {},
                                      {weights_.rounded(), weights_.storage()});
  check(stats.applied && stats.grad_norm > 0, "there is a gradient");
  weights_.publish(exec_, stats.rounded);
  wait();
  update.optimizer = seconds_since(start);
  return update;
}

void Workload::decode(std::int64_t rows, std::int64_t positions) {
  const std::int64_t blocks = round_up(positions, kKvBlock) / kKvBlock;
  if (!step_cache_) step_cache_ = std::make_unique<KvCache>(config_);
  step_cache_->reserve(rows * blocks, *ops_->memory, weights_.storage());
  const auto n = static_cast<std::size_t>(rows);
  const std::vector<TokenId> ids(n, 1);
  const std::vector<std::int32_t> at(n, static_cast<std::int32_t>(positions - 1));
  std::vector<std::vector<std::int32_t>> tables(n);
  std::vector<const std::int32_t*> pointers;
  for (std::size_t r = 0; r < n; ++r) {
    for (std::int64_t b = 0; b < blocks; ++b)
      tables[r].push_back(static_cast<std::int32_t>(static_cast<std::int64_t>(r) * blocks + b));
    pointers.push_back(tables[r].data());
  }
  Scratch& scratch = step_scratch_;
  HeadSample task{};
  RowBatch batch{ids, at, pointers, {}, {}};
  batch.alone = true;
  task.h = decoder_.forward(exec_, weights_, batch, *step_cache_, scratch);
  const std::vector<double> uniforms(n, 0.5);
  std::vector<std::int64_t> drawn(n);
  std::vector<float> logprobs(n);
  std::vector<float> entropies(n);
  scratch.head.add(std::span<const double>(uniforms), task.uniforms);
  scratch.head.send(*ops_->memory);
  scratch.drawn.add(std::span(drawn), task.ids);
  scratch.drawn.add(std::span(logprobs), task.logprobs);
  scratch.drawn.add(std::span(entropies), task.entropies);
  scratch.drawn.prepare(*ops_->memory);
  task.w = weights_.edges().head;
  task.M = rows;
  task.C = config_.hidden_size;
  task.V = config_.vocab_size;
  task.inv_temperature = 1;
  ops_->head_sample(exec_, task);
  scratch.drawn.receive(*ops_->memory);
}

void Workload::wait() {
  float one = 0;
  ops_->memory->download(weights_.data(), 4, &one);
}

namespace {

/// Products of zeros take less power than others, and are faster. `floats` is a power of two.
void fill_randomly(const Ops& ops, const Exec& exec, float* to, Index floats) {
  constexpr Index kBlock = Index{1} << 18;
  const auto block = random_floats(kBlock);
  ops.memory->upload(block.data(), 4 * kBlock, to);
  for (Index n = kBlock; n < floats; n *= 2)
    ops.copy(exec, to, 4 * n, to + n);
}

/// Least seconds of one of several calls, each waited for.
double least_seconds(const Memory& memory, const float* any, const std::function<void()>& body) {
  constexpr int kRounds = 6;
  float one = 0;
  double least = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = Clock::now();
    body();
    memory.download(any, 4, &one);
    least = std::min(least, seconds_since(start));
  }
  return least;
}

}  // namespace

LargeProduct::LargeProduct(const Ops& ops, const Exec& exec, bool small)
    : ops_(&ops), exec_(exec), M_(small ? 512 : 8192), N_(small ? 512 : 16384) {
  const Memory& memory = *ops.memory;
  x_.reserve(N_ * M_, memory);
  y_.reserve(N_ * M_, memory);
  w_.reserve(N_ * M_, memory);
  fill_randomly(ops, exec, x_.data(), N_ * M_);
  if (memory.host)
    ops.copy(exec, x_.data(), 4 * N_ * M_, w_.data());
  else
    (void)ops.narrow(exec, x_.data(), N_ * M_, FloatType::BF16, w_.data());
}

void LargeProduct::begin() {
  const FloatType type = ops_->memory->host ? FloatType::F32 : FloatType::BF16;
  ops_->linear(exec_, {x_.data(), M_, {w_.data(), nullptr, type}, y_.data(), N_, M_, N_, M_});
}

double LargeProduct::flop() const {
  return 2.0 * static_cast<double>(M_) * static_cast<double>(N_ * M_);
}

Peaks measured_peaks(const Ops& ops, const Exec& exec, bool small) {
  const Memory& memory = *ops.memory;
  const Index floats = small ? Index{16} << 20 : Index{256} << 20;
  Peaks peaks;
  {
    Buffer x;
    Buffer y;
    x.reserve(floats, memory);
    y.reserve(floats, memory);
    peaks.bytes_per_s = 8.0 * static_cast<double>(floats) / least_seconds(memory, y.data(), [&] {
                          ops.copy(exec, x.data(), 4 * floats, y.data());
                        });
  }
  LargeProduct product(ops, exec, small);
  peaks.flop_per_s =
      product.flop() / least_seconds(memory, product.result(), [&] { product.begin(); });
  return peaks;
}

}  // namespace aha_bench
