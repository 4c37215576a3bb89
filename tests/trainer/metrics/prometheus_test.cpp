#include "trainer/metrics/prometheus.h"

#include <limits>
#include <set>

#include "tests/support/catch.h"
#include "tests/support/exposition.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

// Expectations are those of https://prometheus.io/docs/instrumenting/exposition_formats/ (text, 0.0.4).

TEST_CASE("prometheus: keys become names and labels, values are written as the format has them") {
  MetricsRow row("grpo", 3, 7);
  row.set("reward", 0.25);
  row.set("rewards/numeric/mean", 1e-9);
  row.set("rewards/a_b/mean", -3);
  row.set("completions/mean_length", std::numeric_limits<double>::quiet_NaN());
  row.set("loss", std::numeric_limits<double>::infinity());
  row.set("eval_pass@8", 0.5);
  row.set("eval_very_hard_pass@8", 0.125);
  row.set("eval_very_hard_rewards/numeric/std", 2);
  PrometheusText text;
  text.add(row);
  const std::map<std::string, std::string> expected = {
      {"aha_reward{stage=\"grpo\"}", "0.25"},
      {"aha_rewards_mean{stage=\"grpo\",func=\"numeric\"}", "1e-09"},
      {"aha_rewards_mean{stage=\"grpo\",func=\"a_b\"}", "-3"},
      {"aha_completions_mean_length{stage=\"grpo\"}", "NaN"},
      {"aha_loss{stage=\"grpo\"}", "+Inf"},
      {"aha_eval_pass{stage=\"grpo\",k=\"8\"}", "0.5"},
      {"aha_eval_pass{stage=\"grpo\",set=\"very_hard\",k=\"8\"}", "0.125"},
      {"aha_eval_rewards_std{stage=\"grpo\",set=\"very_hard\",func=\"numeric\"}", "2"}};
  CHECK(samples_of(text.text()) == expected);
  CHECK_THAT(text.text(), contains("# HELP aha_completions_mean_length mean length, the final stop "
                                   "id included [tokens]\n"
                                   "# TYPE aha_completions_mean_length gauge\n"));
}

TEST_CASE("prometheus: every metric of the table has a name of its own") {
  std::set<std::string> names;
  std::size_t keys = 0;
  for (const auto& info : metric_table())
    for (const std::string prefix : {"", "eval_"}) {
      const bool eval = !prefix.empty();
      if (info.scope == (eval ? MetricScope::Train : MetricScope::Eval)) continue;
      std::string key = prefix + std::string(info.key);
      if (const auto open = key.find('<'); open != std::string::npos)
        key.replace(open, key.find('>') - open + 1, "x");
      MetricsRow row("grpo", 1, 1);
      row.set(key, 1);
      PrometheusText text;
      text.add(row);
      INFO(text.text());
      for (const auto& [sample, value] : samples_of(text.text()))
        names.insert(sample.substr(0, sample.find('{')));
      ++keys;
    }
  CHECK(names.size() == keys);
}

TEST_CASE("prometheus: texts are escaped, samples of one name stand together") {
  PrometheusText text;
  text.add("aha_a", "one \\ line\nor \"two\"", 1, {{"host", "a\\b\"c\nd"}});
  text.add("aha_b", "another", 2);
  text.add("aha_a", "", 3, {{"host", "e"}});
  CHECK(text.text() ==
        "# HELP aha_a one \\\\ line\\nor \"two\"\n"
        "# TYPE aha_a gauge\n"
        "aha_a{host=\"a\\\\b\\\"c\\nd\"} 1\n"
        "aha_a{host=\"e\"} 3\n"
        "# HELP aha_b another\n"
        "# TYPE aha_b gauge\n"
        "aha_b 2\n");
}
