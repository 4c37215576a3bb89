#include "trainer/run/journal.h"

#include <algorithm>
#include <chrono>

#include "trainer/core/file.h"
#include "trainer/metrics/completion_rows.h"

namespace aha {
namespace {

constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kTrain = "completions/train.jsonl";
constexpr const char* kEval = "completions/eval.jsonl";

std::string tensorboard_file() {
  return "tensorboard/" + std::string(TensorboardWriter::kFileName);
}

std::uint64_t offset_of(const std::map<std::string, std::int64_t>& offsets,
                        const std::string& file) {
  const auto found = offsets.find(file);
  return found == offsets.end() ? 0 : static_cast<std::uint64_t>(found->second);
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::filesystem::path with_folder(const std::filesystem::path& path) {
  make_folder(path.parent_path());
  return path;
}

/// Before any of them is cut.
const std::filesystem::path& all_there(const std::filesystem::path& output_dir,
                                       const std::map<std::string, std::int64_t>& offsets,
                                       bool tensorboard) {
  for (const auto& [file, offset] : offsets)
    if (tensorboard || file != tensorboard_file())
      require_bytes(output_dir / file, static_cast<std::uint64_t>(offset));
  return output_dir;
}

}  // namespace

Journal::Journal(const std::filesystem::path& output_dir,
                 const std::map<std::string, std::int64_t>& offsets, bool tensorboard)
    : metrics_(with_folder(all_there(output_dir, offsets, tensorboard) / kMetrics),
               offset_of(offsets, kMetrics)),
      train_(with_folder(output_dir / kTrain), offset_of(offsets, kTrain)),
      eval_(with_folder(output_dir / kEval), offset_of(offsets, kEval)) {
  if (!tensorboard) return;
  make_folder(output_dir / "tensorboard");
  tensorboard_.emplace(output_dir / "tensorboard", now_s(), offset_of(offsets, tensorboard_file()));
}

void Journal::write(const MetricsRow& row) {
  metrics_.write(row.json());
  if (tensorboard_) tensorboard_->write(row, now_s());
}

void Journal::write_completions(JsonlWriter& file, const Stage& stage,
                                const std::vector<Group>& groups,
                                const std::vector<std::vector<float>>* advantages) {
  const auto& log = stage.settings.log;
  if (!log.log_completions) return;
  CompletionRowInputs inputs;
  inputs.stage = stage.settings.name;
  inputs.step = stage.step;
  inputs.global_step = stage.global_step;
  inputs.reward_names = stage.scorer->names();
  inputs.ids = log.completion_ids;
  inputs.logprobs = log.completion_logprobs;
  std::vector<OrderedJson> rows;
  const auto limit =
      log.completions_per_step > 0 ? static_cast<std::size_t>(log.completions_per_step) : SIZE_MAX;
  // one completion of each group before a second of any: more prompts are seen
  std::size_t largest = 0;
  for (const auto& group : groups)
    largest = std::max(largest, group.completions.size());
  for (std::size_t c = 0; c < largest; ++c)
    for (std::size_t g = 0; g < groups.size() && rows.size() < limit; ++g) {
      if (c >= groups[g].completions.size()) continue;
      std::optional<double> advantage;
      if (advantages != nullptr) advantage = static_cast<double>((*advantages)[g][c]);
      rows.push_back(completion_row(inputs, groups[g], c, advantage));
    }
  file.write(std::span<const OrderedJson>(rows));
}

void Journal::write_train(const Stage& stage, const std::vector<Group>& groups,
                          const std::vector<std::vector<float>>& advantages) {
  write_completions(train_, stage, groups, &advantages);
}

void Journal::write_eval(const Stage& stage, const EvalSet& set, const std::vector<Group>& groups) {
  (void)set;  // rows carry their source
  write_completions(eval_, stage, groups, nullptr);
}

std::map<std::string, std::int64_t> Journal::offsets() const {
  std::map<std::string, std::int64_t> result{
      {kMetrics, static_cast<std::int64_t>(metrics_.offset())},
      {kTrain, static_cast<std::int64_t>(train_.offset())},
      {kEval, static_cast<std::int64_t>(eval_.offset())}};
  if (tensorboard_) result[tensorboard_file()] = static_cast<std::int64_t>(tensorboard_->offset());
  return result;
}

void Journal::sync() {
  metrics_.sync();
  train_.sync();
  eval_.sync();
  if (tensorboard_) tensorboard_->sync();
}

}  // namespace aha
