#include "trainer/metrics/reduce.h"

#include <cmath>
#include <limits>
#include <map>

#include "tests/support/catch.h"
#include "tests/trainer/metrics/metrics_support.h"
#include "trainer/core/error.h"

using namespace aha;
using aha_test::completion;
using aha_test::golden;

namespace {

const std::vector<std::string> kNames = {"first", "second"};

Score score_of(const Json& row, const Json& weights) {
  Score score;
  double total = 0;
  bool judged = true;
  for (std::size_t f = 0; f < row["parts"].size(); ++f) {
    RewardPart part;
    if (!row["parts"][f].is_null()) part.score = row["parts"][f].get<double>();
    judged = judged && part.score.has_value();
    total += part.score.value_or(0) * weights[f].get<double>();
    if (f == 0) part.extracted = row["answer"].get<std::string>();
    score.parts.push_back(part);
  }
  if (judged) score.total = total;
  score.accuracy = score.parts[0].score;
  return score;
}

std::vector<Group> groups_of(const Json& test) {
  std::vector<Group> groups;
  for (const auto& g : test["groups"]) {
    Group group;
    group.prompt.ids.assign(g["prompt_length"].get<std::size_t>(), 1);
    for (const auto& row : g["completions"]) {
      group.completions.push_back(
          completion(row["length"].get<std::int64_t>(), row["truncated"].get<bool>()));
      group.scores.push_back(score_of(row, test["weights"]));
    }
    groups.push_back(group);
  }
  return groups;
}

/// TRL's nanstd works out n / (n - 1) in f32, whatever its input is.
double tolerance(const std::string& key) {
  return key.ends_with("std") ? 1e-7 : 1e-12;
}

void check_equal(const MetricValues& ours, const Json& theirs) {
  std::map<std::string, double> values(ours.begin(), ours.end());
  for (const auto& [key, value] : theirs.items()) {
    INFO(key);
    REQUIRE(values.count(key) == 1);
    if (value.is_null())
      CHECK(std::isnan(values[key]));
    else
      CHECK(values[key] == Approx(value.get<double>()).epsilon(tolerance(key)).margin(1e-12));
  }
}

/// C(n - c, k) / C(n, k) in exact integers: the binomials of n <= 30 fit.
std::int64_t binomial(std::int64_t n, std::int64_t k) {
  if (k > n) return 0;
  std::int64_t value = 1;
  for (std::int64_t i = 1; i <= k; ++i)
    value = value * (n - k + i) / i;
  return value;
}

}  // namespace

TEST_CASE("reduce: lengths and rewards are TRL's", "[metrics][golden]") {
  const auto file = golden("reduce.json");
  for (const auto& test : file["cases"]) {
    const auto groups = groups_of(test);
    auto ours = length_metrics(groups);
    const auto rewards = reward_metrics(groups, kNames);
    ours.insert(ours.end(), rewards.begin(), rewards.end());
    check_equal(ours, test["trl"]);
    CHECK(static_cast<double>(token_count(groups)) == test["num_tokens"].get<double>());
  }
}

TEST_CASE("reduce: accuracy, its standard error, pass@k and maj@k are NumPy's",
          "[metrics][golden]") {
  const auto file = golden("reduce.json");
  for (const auto& test : file["cases"]) {
    const auto groups = groups_of(test);
    const auto ks = test["pass_at_k"].get<std::vector<std::int64_t>>();
    auto ours = accuracy_metrics(groups, ks, 0);
    const auto lengths = length_metrics(groups);
    ours.insert(ours.end(), lengths.begin(), lengths.end());
    check_equal(ours, test["accuracy"]);
    check_equal({{"stderr", accuracy_stderr(groups)}}, {{"stderr", test["accuracy_stderr"]}});
  }
}

// 21 ones of 48: sqrt(48 / 47 * 21 / 48 * 27 / 48), by hand.
TEST_CASE("reduce: a standard deviation has n - 1 below it, to the last digits", "[metrics]") {
  const auto file = golden("reduce.json");
  for (const auto& [key, value] : reward_metrics(groups_of(file["cases"][0]), kNames))
    if (key == "rewards/first/std")
      CHECK(value == Approx(std::sqrt(48.0 / 47 * 0.4375 * 0.5625)).epsilon(1e-14));
}

TEST_CASE("pass_at_k: the estimator of Chen et al. in exact integers", "[metrics][golden]") {
  for (std::int64_t n = 1; n <= 30; ++n)
    for (std::int64_t c = 0; c <= n; ++c)
      for (std::int64_t k = 1; k <= n; ++k) {
        const auto all = binomial(n, k);
        const double exact =
            static_cast<double>(all - binomial(n - c, k)) / static_cast<double>(all);
        REQUIRE(pass_at_k(n, c, k) == Approx(exact).epsilon(1e-13).margin(1e-15));
      }
  const auto file = golden("reduce.json");
  for (const auto& row : file["pass_at_k"])
    CHECK(pass_at_k(row[0].get<std::int64_t>(), row[1].get<std::int64_t>(),
                    row[2].get<std::int64_t>()) ==
          Approx(row[3].get<double>()).epsilon(1e-12).margin(1e-15));
}

TEST_CASE("pass_at_k: counts that cannot be are our bug", "[metrics]") {
  CHECK_THROWS_AS(pass_at_k(3, 4, 1), InternalError);
  CHECK_THROWS_AS(pass_at_k(3, 1, 4), InternalError);
  CHECK_THROWS_AS(pass_at_k(3, 1, 0), InternalError);
}

TEST_CASE("reduce: nothing at all gives NaN, never a crash", "[metrics]") {
  for (const auto& [key, value] : length_metrics({}))
    CHECK(std::isnan(value));
  for (const auto& [key, value] : reward_metrics({}, kNames))
    CHECK(std::isnan(value));
  CHECK(std::isnan(mean_accuracy({})));
  CHECK(std::isnan(accuracy_stderr({})));
  CHECK(std::isnan(rollout_entropy({})));
  CHECK(token_count({}) == 0);
  for (const auto& [key, value] : LogpGap().metrics())
    CHECK(std::isnan(value));
}

TEST_CASE("majority_answer: the most frequent, the earliest of a tie, never an empty one",
          "[metrics]") {
  const auto majority = [](std::vector<std::string_view> answers) {
    return majority_answer(answers);
  };
  CHECK(majority({"a", "b", "b"}) == 1);
  CHECK(majority({"a", "b", "b", "a"}) == 0);
  CHECK(majority({"", "", "", "x"}) == 3);
  CHECK_FALSE(majority({"", ""}).has_value());
  CHECK_FALSE(majority({}).has_value());
}

TEST_CASE("rollout_entropy: over drawn tokens alone", "[metrics]") {
  Group group;
  group.completions.push_back(completion(3, false));
  group.completions[0].entropies = {1.0F, 100.0F, 2.0F};
  group.completions[0].sampled = {1, 0, 1};
  CHECK(rollout_entropy(std::span(&group, 1)) == Approx(1.5));
}

TEST_CASE("LogpGap: differences and k3 of NumPy, in any split", "[metrics][golden]") {
  const auto gap = golden("reduce.json")["gap"];
  const auto rollout = gap["rollout"].get<std::vector<float>>();
  const auto training = gap["training"].get<std::vector<float>>();
  LogpGap sums;
  for (std::size_t at = 0; at < rollout.size(); at += 50)
    sums.add(std::span(rollout).subspan(at, 50), std::span(training).subspan(at, 50));
  for (const auto& [key, value] : sums.metrics())
    CHECK(value == Approx(gap[key].get<double>()).epsilon(1e-9));
  CHECK_THROWS_AS(sums.add(std::span(rollout).first(1), training), InternalError);
}

TEST_CASE("LogpGap: equal sides are exactly 0, a NaN is not hidden by what follows", "[metrics]") {
  const std::vector<float> same = {-1.25F, -0.1F};
  LogpGap equal;
  equal.add(same, same);
  for (const auto& [key, value] : equal.metrics())
    CHECK(value == 0.0);
  LogpGap broken;
  broken.add(same, std::vector<float>{std::numeric_limits<float>::quiet_NaN(), -3.0F});
  for (const auto& [key, value] : broken.metrics())
    CHECK(std::isnan(value));
}
