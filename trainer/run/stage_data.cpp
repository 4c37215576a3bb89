#include <algorithm>

#include "data/duplicates.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"
#include "trainer/run/stage.h"

namespace aha {
namespace {

/// Fields that every row of a file needs in this stage.
std::vector<std::string> required_fields(const StageConfig& stage, const PromptTemplate& prompt) {
  std::vector<std::string> fields = prompt.fields();
  if (stage.method == "sft") fields.push_back(stage.data.completion_field);
  return fields;
}

/// Rows that name no source have that of their dataset.
std::string source_name(const DataSource& source) {
  if (!source.name.empty()) return source.name;
  return source.task.empty() ? std::filesystem::path(source.path).stem().string() : source.task;
}

OpenOptions open_options(const Config& config, const StageConfig& stage, Split split,
                         const PromptTemplate& prompt, const Scorer* scorer,
                         const std::string& name) {
  OpenOptions options;
  options.split = split;
  options.seed = config.seed;
  options.required_fields = required_fields(stage, prompt);
  options.max_invalid = stage.data.max_invalid;
  if (scorer != nullptr && stage.method != "sft")
    options.problem = [scorer, name](const Json& row) {
      const auto source = row.find("source");
      const bool own = source != row.end() && source->is_string();
      return scorer->gold_problem(row, own ? source->get_ref<const std::string&>() : name);
    };
  return options;
}

std::unique_ptr<Task> task_of(const DataSource& source) {
  return source.task.empty() ? nullptr : make_task(source.task, source.task_options);
}

std::unique_ptr<PromptSet> prompt_set(const StageConfig& stage, const Tokenizer& tokenizer,
                                      std::unique_ptr<Dataset> dataset) {
  return std::make_unique<PromptSet>(
      std::move(dataset), open_prompt_template(stage.data, tokenizer), tokenizer,
      PromptLimits{stage.data.max_prompt_length, stage.data.overlong_prompts == "drop"});
}

EvalSet eval_set(const StageConfig& stage, const Tokenizer& tokenizer, const std::string& name,
                 std::uint32_t index, std::unique_ptr<Dataset> dataset) {
  if (!dataset->size()) fail("data.eval.{}: a task has no end; give it a 'count'", name);
  EvalSet set;
  set.name = name;
  set.prefix = index == 0 ? "eval_" : "eval_" + name + "_";
  set.index = index;
  set.prompts = prompt_set(stage, tokenizer, std::move(dataset));
  return set;
}

void report_repeats(const StageConfig& stage, const Dataset& train, StageData& data) {
  const auto repeats = duplicate_rows(train, stage.data.question_field);
  if (repeats.count > 0) data.notes.push_back(repeats.text());
  for (const auto& set : data.eval) {
    if (set.prompts->dropped() > 0)
      data.notes.push_back(fmt::format("{}: {} over-long prompts dropped", set.name,
                                       with_commas(set.prompts->dropped())));
    const auto overlap = overlapping_rows(train, set.prompts->dataset(), stage.data.question_field);
    if (overlap.count > 0)
      data.notes.push_back(
          fmt::format("{} also in the training data: {}", set.name, overlap.text()));
  }
}

}  // namespace

EvalSet open_eval_set(const Config& config, const StageConfig& stage, const Tokenizer& tokenizer,
                      const Scorer* scorer, const NamedSource& source) {
  const PromptTemplate prompt = open_prompt_template(stage.data, tokenizer);
  auto options =
      open_options(config, stage, Split::HeldOut, prompt, scorer, source_name(source.source));
  options.required_fields = prompt.fields();
  auto set =
      eval_set(stage, tokenizer, source.name, source.index, open_dataset(source.source, options));
  set.task = task_of(source.source);
  return set;
}

StageData open_stage_data(const Config& config, const StageConfig& stage,
                          const Tokenizer& tokenizer, const Scorer* scorer) {
  const PromptTemplate prompt = open_prompt_template(stage.data, tokenizer);
  StageData data;
  data.task = task_of(stage.data.train);
  auto train = open_dataset(stage.data.train, open_options(config, stage, Split::Train, prompt,
                                                           scorer, source_name(stage.data.train)));
  if (stage.data.eval_fraction > 0) {
    const auto* file = dynamic_cast<const JsonlDataset*>(train.get());
    if (file == nullptr)
      fail("data.eval_fraction: '{}' is not a file; give data.eval the same task instead",
           train->name());
    auto [kept, held_out] =
        file->split(stage.data.eval_fraction, config.seed, stage.data.question_field, "held_out");
    data.eval.push_back(eval_set(stage, tokenizer, "held_out", 0, std::move(held_out)));
    train = std::move(kept);
  }
  for (const auto& name : stage.data.eval_order)
    data.eval.push_back(open_eval_set(
        config, stage, tokenizer, scorer,
        {name, static_cast<std::uint32_t>(data.eval.size()), stage.data.eval.at(name)}));
  data.fingerprint = train->fingerprint();
  report_repeats(stage, *train, data);
  data.train = prompt_set(stage, tokenizer, std::move(train));
  return data;
}

std::int64_t longest_prompt(const StageData& data, const StageConfig& stage) {
  std::int64_t longest = data.train->size() ? data.train->longest() : 0;
  for (const auto& set : data.eval)
    longest = std::max(longest, set.prompts->longest());
  return data.train->size() ? longest : std::max(longest, stage.data.max_prompt_length);
}

std::int64_t most_eval_prompts(const StageData& data) {
  std::int64_t most = 0;
  for (const auto& set : data.eval)
    most = std::max(most, set.prompts->size().value_or(0));
  return most;
}

}  // namespace aha
