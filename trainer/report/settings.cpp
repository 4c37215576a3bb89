#include "trainer/report/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/config/dump.h"
#include "trainer/config/flat_keys.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

/// The default of a key; of rewards and evaluation sets that of any of them.
std::string default_of(std::string path) {
  if (path == "method") return "grpo";
  const auto replace_word = [&](const std::string& head, const std::string& word) {
    if (path.rfind(head, 0) != 0) return;
    const auto end = path.find('.', head.size());
    if (end != std::string::npos) path = head + word + path.substr(word.empty() ? end + 1 : end);
  };
  replace_word("data.eval.", "NAME");
  replace_word("reward.functions.", "");
  for (const auto& flat : all_keys())
    if (flat.path == path) return flat.value;
  return "";
}

void put_keys(OrderedJson& list, const std::vector<FlatKey>& keys, const std::string& prefix) {
  for (const auto& flat : keys)
    if (!flat.type.empty()) list.push_back({prefix + flat.path, flat.value, default_of(flat.path)});
}

double total(const RunRecord& run, const std::string& key) {
  double sum = 0;
  for (const auto& stage : run.stages)
    if (const Series* series = stage.find(key))
      for (const double value : series->values)
        sum += value;
  return sum;
}

std::string source_text(const DataSource& source) {
  if (!source.task.empty()) return fmt::format("task {}", source.task);
  return source.path;
}

std::string model_text(const ModelConfigSection& model) {
  if (!model.path.empty()) return model.path;
  if (!model.init) return "";
  return fmt::format("a new decoder, {} layers x {}", model.init->num_hidden_layers,
                     model.init->hidden_size);
}

void put_config_facts(OrderedJson& facts, const Config& config) {
  const auto& stage = config.stages.back();
  facts.push_back({"model", model_text(config.stages.front().model)});
  facts.push_back({"trained on", source_text(stage.data.train)});
  std::string held_out;
  for (const auto& name : stage.data.eval_order)
    held_out += (held_out.empty() ? "" : ", ") +
                fmt::format("{} ({})", name, source_text(stage.data.eval.at(name)));
  facts.push_back({"held out", held_out.empty() ? "nothing" : held_out});
  std::string rewards;
  for (const auto& function : stage.reward.functions)
    rewards +=
        fmt::format("{}{} x {}", rewards.empty() ? "" : " + ", function.name, function.weight);
  facts.push_back({"reward", rewards});
  facts.push_back({"samples a step", fmt::format("{} prompts x {}", stage.train.prompts_per_step,
                                                 stage.rollout.num_generations)});
  facts.push_back({"seed", std::to_string(config.seed)});
}

/// What the run said of it, else what it was to be.
std::string device_text(const RunRecord& run) {
  constexpr std::string_view kHead = "device     ";
  for (const auto& line : run.plan)
    if (line.rfind(kHead, 0) == 0) return line.substr(kHead.size());
  return run.config ? run.config->device : "";
}

}  // namespace

OrderedJson settings_json(const RunRecord& run) {
  auto list = OrderedJson::array();
  if (!run.config) return list;
  put_keys(list, flat_job(*run.config), "");
  for (const auto& stage : run.config->stages)
    put_keys(list, flat_sections(stage), stage.name + ".");
  return list;
}

std::string settings_without_seed(const RunRecord& run) {
  if (!run.config) return "";
  Config config = *run.config;
  config.seed = 0;
  config.output_dir = "";
  return resolved_yaml(config);
}

std::vector<std::string> reflection_words(const RunRecord& run) {
  if (!run.config || run.config->stages.empty()) return LogConfig().reflection_words;
  return run.config->stages.back().log.reflection_words;
}

double seconds_spent(const RunRecord& run) {
  return total(run, "step_time") + total(run, "timing_s/eval") + total(run, "timing_s/save");
}

OrderedJson facts_json(const RunRecord& run) {
  auto facts = OrderedJson::array();
  if (run.config && !run.config->stages.empty()) put_config_facts(facts, *run.config);
  if (const std::string device = device_text(run); !device.empty())
    facts.push_back({"device", device});
  std::string stages;
  double tokens = 0;
  for (const auto& stage : run.stages) {
    stages += fmt::format("{}{} {} steps", stages.empty() ? "" : ", ", stage.name,
                          with_commas(stage.steps()));
    if (const Series* seen = stage.find("num_tokens")) tokens += seen->last();
  }
  facts.push_back({"done", stages.empty() ? "nothing recorded" : stages});
  if (tokens > 0) facts.push_back({"tokens", with_commas(static_cast<long long>(tokens))});
  const double seconds = seconds_spent(run);
  if (seconds > 0) facts.push_back({"time", duration_text(seconds)});
  for (const char* phase : {"rollout", "reward", "reference", "train", "comm", "eval", "save"}) {
    const double part = total(run, fmt::format("timing_s/{}", phase));
    if (part > 0 && seconds > 0)
      facts.push_back({fmt::format("  {}", phase),
                       fmt::format("{} ({:.0f} %)", duration_text(part), 100 * part / seconds)});
  }
  return facts;
}

}  // namespace aha
