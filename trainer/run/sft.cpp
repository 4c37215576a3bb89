#include "trainer/run/sft.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "trainer/core/clock.h"
#include "trainer/core/error.h"
#include "trainer/objective/sft_loss.h"
#include "trainer/optim/schedule.h"
#include "trainer/run/update.h"

namespace aha {
namespace {

Index length_of(const Group& g) {
  return static_cast<Index>(g.prompt.ids.size()) + g.completions.front().length();
}

/// The batch that the sampler's cursor stands at. A block of bucket_batches x B draws is sorted by
/// length and cut into batches; which of them comes when is a shuffle keyed by the block.
std::vector<Group> next_batch(Stage& stage) {
  const auto& train = stage.settings.train;
  const std::int64_t size = train.per_device_train_batch_size;
  const std::int64_t block = size * std::max<std::int64_t>(1, train.bucket_batches);
  const std::uint64_t cursor = stage.sampler.cursor();
  const auto in_block =
      static_cast<std::int64_t>(cursor % static_cast<std::uint64_t>(block)) / size;
  const std::uint64_t block_start =
      cursor / static_cast<std::uint64_t>(block) * static_cast<std::uint64_t>(block);
  stage.sampler.set_cursor(block_start);
  std::vector<Group> groups;
  const SftSource source{*stage.data.train, *stage.policy.tokenizer, stage.policy.config,
                         stage.settings};
  for (const auto& draw : stage.sampler.next(block))
    groups.push_back(sft_example(source, draw));
  stage.sampler.set_cursor(cursor + static_cast<std::uint64_t>(size));
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return length_of(a) < length_of(b); });
  std::vector<std::int64_t> order(static_cast<std::size_t>(block / size));
  std::iota(order.begin(), order.end(), 0);
  RandomStream random({stage.config.seed, Purpose::Shuffle, stage.index, block_start, 1, 0});
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1],
              order[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
  const auto first = groups.begin() + order[static_cast<std::size_t>(in_block)] * size;
  return {std::make_move_iterator(first), std::make_move_iterator(first + size)};
}

}  // namespace

Group sft_example(const SftSource& source, const Draw& draw) {
  const auto where = [&] { return source.rows.where(draw.row); };
  Group group;
  group.ordinal = draw.ordinal;
  group.prompt = source.rows.prompt(draw.row);
  const auto& field = source.stage.data.completion_field;
  const auto found = group.prompt.fields.find(field);
  if (found == group.prompt.fields.end() || !found->is_string())
    fail(
        "{}: '{}' is missing or no text; it is what the sft stage trains on "
        "(data.completion_field)",
        where(), field);
  Completion completion;
  try {
    completion.ids = source.tokenizer.encode(found->get_ref<const std::string&>());
  } catch (const UserError& error) {
    fail("{}: {}", where(), error.what());
  }
  const auto& eos = source.model.eos_token_ids;
  if (!eos.empty()) completion.ids.push_back(eos.front());
  if (completion.ids.empty()) fail("{}: '{}' is empty", where(), field);
  completion.sampled.assign(completion.ids.size(), 1);
  completion.finish = FinishReason::Stop;
  group.completions.push_back(std::move(completion));
  const auto length = length_of(group);
  if (length > source.model.positions())
    fail("{}: {} tokens, the model has {}", where(), length, positions_text(source.model));
  if (length > source.stage.train.max_tokens_per_micro_batch)
    fail("{}: {} tokens, train.max_tokens_per_micro_batch is {}", where(), length,
         source.stage.train.max_tokens_per_micro_batch);
  return group;
}

void sft_step(Stage& stage, MetricsRow& row) {
  const auto start = Clock::now();
  const std::vector<Group> groups = next_batch(stage);
  std::vector<SampleRef> samples;
  std::int64_t total = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    samples.push_back({g, 0});
    total += groups[g].completions.front().length();
    stage.num_tokens += length_of(groups[g]);
  }
  const auto micro_loss = [&](const MicroBatch& micro, const Learner::TokenValues& values) {
    MicroResult result;
    result.d_logprob.resize(values.logprobs.size());
    const std::vector<std::uint8_t> mask(micro.targets.size(), 1);
    result.stats = sft_loss(values.logprobs, values.entropies, mask, total, result.d_logprob);
    return result;
  };
  const double learning_rate =
      learning_rate_at(stage.step, stage.settings.optim, stage.total_steps);
  const UpdateResult update = update_policy(stage, groups, samples, micro_loss, learning_rate);
  row.set("loss", update.stats.loss);
  row.set("entropy", update.stats.entropy_sum / static_cast<double>(total));
  row.set("grad_norm", update.grad_norm);
  row.set("learning_rate", learning_rate);
  row.set("epoch", stage.sampler.epoch());
  row.set("num_tokens", static_cast<double>(stage.num_tokens));
  const double seconds = seconds_since(start);
  row.set("timing_s/train", seconds);
  row.set("perf/train_tokens_per_s", static_cast<double>(total) / seconds);
}

}  // namespace aha
