#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <regex>
#include <set>

#include "tests/support/catch.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/metrics/step_metrics.h"

using namespace aha;
namespace fs = std::filesystem;

namespace {

std::vector<fs::path> sources(const char* folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(AHA_SOURCE_DIR) / folder))
    if (entry.path().extension() == ".cpp") files.push_back(entry.path());
  return files;
}

/// First groups of every match.
std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it)
    found.insert((*it)[1]);
  return found;
}

/// Names that a task's behaviour_rates gives: rates["x"], rate("x", ...), for (... : {"x", "y"}).
std::set<std::string> task_rates(const std::string& text) {
  auto names = matches(text, R"x(rates?[\[(]"([^"]+)")x");
  for (const auto& list : matches(text, R"x(for \(const char\* name : \{([^}]*)\})x"))
    names.merge(matches(list, R"x("([^"]+)")x"));
  return names;
}

}  // namespace

TEST_CASE("metric table: every key that a step, an evaluation or a task sets is in it",
          "[metrics]") {
  std::set<std::string> keys;
  for (const auto& file : sources("trainer/run"))
    keys.merge(matches(read_file(file), R"x((?:row\.set|values\.emplace_back)\(\s*"([^"]+)")x"));
  for (const auto& file : sources("data/tasks"))
    keys.merge(task_rates(read_file(file)));
  CHECK(keys.size() > 30);
  for (const auto& key : keys) {
    INFO(key);
    CHECK((find_metric(key) != nullptr || find_metric("eval_" + key) != nullptr));
  }
}

TEST_CASE("metric table: every key in it is set by somebody", "[metrics]") {
  std::string text;
  for (const char* folder : {"trainer/run", "trainer/metrics", "data/tasks"})
    for (const auto& file : sources(folder)) {
      const auto name = file.filename();
      if (name != "metric_table.cpp" && name != "console.cpp" && name != "report.cpp")
        text += read_file(file);
    }
  for (const auto& info : metric_table()) {
    INFO(info.key);
    const std::string head(info.key.substr(0, info.key.find('<')));
    CHECK(text.find("\"" + head) != std::string::npos);
  }
}

// The keys that GRPOTrainer of trl 1.16.0 logs, as its source has them, for what aha does too.
TEST_CASE("metric table: names are TRL's where TRL has the thing", "[metrics][golden]") {
  for (const char* key : {"loss",
                          "grad_norm",
                          "learning_rate",
                          "epoch",
                          "num_tokens",
                          "step_time",
                          "reward",
                          "reward_std",
                          "frac_reward_zero_std",
                          "rewards/accuracy/mean",
                          "rewards/accuracy/std",
                          "completions/mean_length",
                          "completions/min_length",
                          "completions/max_length",
                          "completions/clipped_ratio",
                          "completions/mean_terminated_length",
                          "completions/min_terminated_length",
                          "completions/max_terminated_length",
                          "entropy",
                          "kl",
                          "clip_ratio/low_mean",
                          "clip_ratio/low_min",
                          "clip_ratio/high_mean",
                          "clip_ratio/high_max",
                          "clip_ratio/region_mean",
                          "cispo_clip_ratio",
                          "sampling/sampling_logp_difference/mean",
                          "sampling/sampling_logp_difference/max",
                          "policy_loss",
                          "entropy_coef",
                          "eval_reward",
                          "eval_completions/mean_length",
                          "eval_completions/clipped_ratio",
                          "eval_entropy"}) {
    INFO(key);
    CHECK(find_metric(key) != nullptr);
  }
}

TEST_CASE("metric table: no key twice, and a sentence for each", "[metrics]") {
  std::set<std::string_view> seen;
  for (const auto& info : metric_table()) {
    INFO(info.key);
    CHECK(seen.insert(info.key).second);
    CHECK(info.meaning.size() > 4);
  }
  CHECK(metrics_markdown().find("| `rewards/<func>/mean`, `eval_...` |") != std::string::npos);
}

TEST_CASE("MetricsRow: a key that the table does not know is our bug", "[metrics]") {
  MetricsRow row("grpo", 1, 1);
  for (const char* key : {"rewrad", "eval_rewrad", "rewards//mean", "eval_", "", "eval_grad_norm",
                          "greedy_accuracy", "pass@"})
    CHECK_THROWS_AS(row.set(key, 1.0), InternalError);
  CHECK(row.empty());
}

TEST_CASE("MetricsRow: table order, training first, then evaluation sets by name", "[metrics]") {
  MetricsRow row("grpo", 3, 8);
  row.set("eval_math_hard_accuracy", 0.1);
  row.set("eval_accuracy", 0.2);
  row.set("step_time", 1.0);
  row.set("rewards/b/mean", 4.0);
  row.set("rewards/a/mean", 3.0);
  row.set("eval_aime_pass@8", 0.5);
  row.set("loss", 0.25);
  row.set("loss", 0.5);
  CHECK(dump_line(row.json()) ==
        R"({"step":3,"global_step":8,"stage":"grpo","loss":0.5,"rewards/b/mean":4.0,)"
        R"("rewards/a/mean":3.0,"step_time":1.0,"eval_accuracy":0.2,"eval_aime_pass@8":0.5,)"
        R"("eval_math_hard_accuracy":0.1})");
}

TEST_CASE("MetricsRow: NaN and infinity are null in JSON, and stay what they are in the row",
          "[metrics]") {
  MetricsRow row("grpo", 0, 0);
  row.set("reward", std::numeric_limits<double>::quiet_NaN());
  row.set("grad_norm", std::numeric_limits<double>::infinity());
  CHECK(dump_line(row.json()) ==
        R"({"step":0,"global_step":0,"stage":"grpo","grad_norm":null,"reward":null})");
  CHECK(std::isnan(*row.get("reward")));
  CHECK_FALSE(row.get("loss").has_value());
}

TEST_CASE("is_timing_key: exactly the keys that may differ between equal runs", "[metrics]") {
  std::set<std::string_view> timing;
  for (const auto& info : metric_table())
    if (is_timing_key(info.key)) timing.insert(info.key);
  for (const auto key : timing)
    CHECK((key == "step_time" || key.starts_with("timing_s/") || key.starts_with("perf/")));
  CHECK(timing.size() > 5);
  CHECK_FALSE(is_timing_key("reward"));
}
