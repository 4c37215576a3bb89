#include "trainer/run/cluster_memory.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <vector>

#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr double kLogitRows = 2048;
constexpr double kKvBlockTokens = 16;

double blocks_of(double tokens) {
  return std::ceil(tokens / kKvBlockTokens) * kKvBlockTokens;
}

double longest(const StepWork& work) {
  return work.prompt_tokens + work.completion_tokens;
}

/// Keys and values of what one rank decodes at once: prompts once, and twice as many as fill the batch.
double kv_elements(const ModelSize& size, const StepWork& work, std::int64_t ranks) {
  const double groups = std::ceil(static_cast<double>(work.prompts) / static_cast<double>(ranks));
  const auto generations = static_cast<double>(work.generations);
  const double rows = std::min(groups * generations, static_cast<double>(work.decode_rows));
  const double places = std::min(groups, 2 * (std::floor(rows / generations) + 1));
  const double tokens = places * blocks_of(work.prompt_tokens) +
                        rows * blocks_of(work.completion_tokens + kKvBlockTokens - 1);
  return tokens * static_cast<double>(size.kv_elements);
}

/// What a micro-batch keeps, and what its backward pass works in.
double activation_elements(const ModelConfig& model, const ModelSize& size, const StepWork& work,
                           std::int64_t ranks) {
  const double rows = std::max(
      longest(work), std::min(static_cast<double>(work.micro_rows), rows_of_update(work, ranks)));
  const TrainingRow row = training_row(model, work.recomputed);
  const std::int64_t caches =
      work.recomputed ? 2 : size.layers + 1;  // of a layer, with derivatives
  return rows * static_cast<double>(row.kept + row.block + row.back +
                                    caches * size.kv_elements / size.layers);
}

double total(const ModelConfig& model, const StepWork& work, const Cluster& cluster, Zero zero) {
  return static_cast<double>(cluster_memory(model, work, cluster, zero).total());
}

/// The largest of `unit`, 2 unit, ... up to `most` for which `fits`; nothing when the first does not.
template <class Fits>
std::optional<std::int64_t> largest(std::int64_t least, std::int64_t most, std::int64_t unit,
                                    const Fits& fits) {
  for (std::int64_t value = most / unit * unit; value >= least; value -= unit)
    if (fits(value)) return value;
  return std::nullopt;
}

using Fits = std::function<bool(const StepWork&)>;

/// Settings that are changed together.
struct Change {
  bool recompute, micro, batch;
};

/// The work with them; of several batches the first is the least. Nothing: that does not do.
std::optional<StepWork> changed_to_fit(StepWork work, const Change& change, const Fits& fits) {
  const auto least = static_cast<std::int64_t>(std::ceil(longest(work)));
  const std::int64_t decoded = std::min(work.decode_rows, work.prompts * work.generations);
  if (change.recompute) work.recomputed = true;
  const auto micro = [&](std::int64_t rows) { return work.micro_rows = rows, fits(work); };
  const auto batch = [&](std::int64_t rows) { return work.decode_rows = rows, fits(work); };
  bool done = false;
  if (change.batch) {
    if (change.micro) work.micro_rows = least;
    done = largest(8, decoded, 8, batch).has_value();
  } else if (change.micro) {
    done = largest(least, work.micro_rows, 256, micro).has_value();
  } else {
    done = fits(work);
  }
  return done ? std::optional(work) : std::nullopt;
}

std::string settings_text(const StepWork& work, const Change& change) {
  std::vector<std::string> settings;
  if (change.recompute) settings.emplace_back("train.gradient_checkpointing to true");
  if (change.micro)
    settings.push_back(
        fmt::format("train.max_tokens_per_micro_batch to {} or less", work.micro_rows));
  if (change.batch)
    settings.push_back(fmt::format("rollout.max_batch_size to {} or less", work.decode_rows));
  return fmt::format("set {}", fmt::join(settings, " and "));
}

}  // namespace

MemoryPlan cluster_memory(const ModelConfig& model, const StepWork& work, const Cluster& cluster,
                          Zero zero) {
  const ModelSize size = model_size(model);
  const auto ranks = static_cast<double>(cluster.ranks);
  const auto w = static_cast<double>(work.weight_bytes);
  const auto p = static_cast<double>(size.parameters);
  const auto two_blocks = static_cast<double>(2 * size.block_parameters);
  const auto edges = static_cast<double>(size.parameters - size.layers * size.block_parameters);
  const bool cut = zero >= Zero::Gradients && cluster.ranks > 1;
  const bool gathered = zero == Zero::Weights && cluster.ranks > 1;
  const double weights = gathered ? w * (p / ranks + two_blocks + edges) : w * p;
  const double values = work.weight_bytes == 4 ? 0 : 4 * p / ranks;
  const double gradients = cut ? 4 * (p / ranks + two_blocks + edges) : 4 * p;
  const double whole = gathered && work.whole_in_rollout ? p : 0;
  const double work_elements = std::max(kv_elements(size, work, cluster.ranks) + whole,
                                        activation_elements(model, size, work, cluster.ranks));
  MemoryPlan plan;
  const auto add = [&](const char* name, double bytes) {
    plan.parts.emplace_back(name, static_cast<std::int64_t>(bytes));
  };
  add("program", cluster.kind.program_gib * 1024 * 1024 * 1024);
  add("weights", weights);
  add("values", values);
  add("gradients", gradients * (work.strict ? 3 : 1));
  add("moments", 8 * p / ranks);
  add("reference", work.reference ? weights + values : 0);
  add("work", w * work_elements);
  add("logits", w * kLogitRows * static_cast<double>(model.vocab_size));
  return plan;
}

std::string advice_to_fit(const ModelConfig& model, const StepWork& work, const Cluster& cluster,
                          Zero zero) {
  const double room = cluster.kind.memory_bytes();
  const Fits fits = [&](const StepWork& changed) {
    return total(model, changed, cluster, zero) <= room;
  };
  if (fits(work)) return {};
  StepWork least = work;
  least.recomputed = true;
  const bool would_do = fits(least);
  for (const Change& change :
       {Change{false, true, false}, Change{true, false, false}, Change{false, false, true},
        Change{true, true, false}, Change{false, true, true}, Change{true, true, true}})
    if (const auto changed = changed_to_fit(work, change, fits))
      return settings_text(*changed, change) +
             (would_do && !change.recompute ? ", or train.gradient_checkpointing to true" : "");
  least.micro_rows = 0;
  least.decode_rows = 8;
  least.reference = false;
  if (work.reference && fits(least))
    return fmt::format("set objective.beta to 0, which needs no reference{}, and smaller batches",
                       work.recomputed ? "" : ", train.gradient_checkpointing to true");
  Cluster more = cluster;
  for (more.ranks = 2 * cluster.ranks; more.ranks <= 4096; more.ranks *= 2)
    if (total(model, work, more, zero) <= room) return fmt::format("take {} ranks", more.ranks);
  return "no setting and no number of ranks does: a smaller model, or a machine with more memory";
}

}  // namespace aha
