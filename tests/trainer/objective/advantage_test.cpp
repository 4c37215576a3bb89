#include <algorithm>
#include <cmath>

#include "tests/trainer/objective/groups.h"
#include "tests/trainer/objective/support.h"
#include "trainer/core/error.h"

using namespace aha;
using namespace aha_test;

namespace {

using PerToken = std::vector<std::vector<std::vector<float>>>;

std::optional<double> optional_of(const Json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<double>();
}

std::vector<Group> golden_groups() {
  std::vector<Group> groups;
  for (const auto& row : golden().at("groups")) {
    auto& group = groups.emplace_back();
    group.ordinal = row.at("ordinal").get<std::uint64_t>();
    for (const auto& c : row.at("completions")) {
      auto& completion = group.completions.emplace_back();
      c.at("sampled").get_to(completion.sampled);
      completion.ids.assign(completion.sampled.size(), 0);
      auto& score = group.scores.emplace_back();
      score.total = optional_of(c.at("total"));
      for (std::size_t k = 0; k < 2; ++k)
        score.parts.push_back(
            {c.at("parts").is_null() ? std::nullopt : optional_of(c.at("parts")[k]), {}, {}, 0});
    }
  }
  return groups;
}

PerToken golden_ratios() {
  PerToken ratios;
  for (const auto& row : golden().at("groups")) {
    ratios.emplace_back();
    for (const auto& c : row.at("completions"))
      ratios.back().push_back(c.at("log_ratio_ref").get<std::vector<float>>());
  }
  return ratios;
}

void check_equal(const std::vector<std::vector<float>>& values, const Json& expected) {
  REQUIRE(values.size() == expected.size());
  for (std::size_t g = 0; g < values.size(); ++g) {
    REQUIRE(values[g].size() == expected[g].size());
    for (std::size_t c = 0; c < values[g].size(); ++c)
      CHECK(values[g][c] == Approx(expected[g][c].get<double>()).epsilon(1e-6).margin(1e-9));
  }
}

Advantages advantages_of(const std::vector<Group>& groups, const ObjectiveConfig& objective) {
  static const std::vector<double> weights = {1.0};
  return advantages({groups, weights, {}}, objective);
}

const char* const kEstimators[] = {"group_norm", "rloo", "reinforce_pp", "reinforce_pp_baseline",
                                   "gdpo",       "opo",  "max_rl"};

}  // namespace

TEST_CASE("advantages: equal NumPy's for every estimator, scale, ddof and KL in the reward") {
  const auto groups = golden_groups();
  const PerToken ratios = golden_ratios();
  const auto weights = golden().at("weights").get<std::vector<double>>();
  REQUIRE(golden().at("advantages").size() > 30);
  for (const auto& entry : golden().at("advantages")) {
    const ObjectiveConfig objective = objective_of(entry.at("objective"));
    INFO(entry.at("objective").dump());
    AdvantageInputs inputs{groups, weights, {}};
    if (objective.beta != 0) inputs.log_ratio_ref = ratios;
    const Advantages result = advantages(inputs, objective);
    check_equal(result.values, entry.at("values"));
    const auto& tokens = entry.at("tokens");
    REQUIRE(result.tokens.size() == tokens.size());
    for (std::size_t g = 0; g < result.tokens.size(); ++g)
      check_equal(result.tokens[g], tokens[g]);
  }
}

TEST_CASE("advantages: a group of equal rewards gives exactly 0, whatever its mean rounds to") {
  const std::vector<std::optional<double>> tenths(3, 0.1);  // (0.1 + 0.1 + 0.1) / 3 != 0.1
  const std::vector<Group> groups = {group_of(tenths), group_of({0.3, 0.7, 0.1})};
  for (const char* estimator : {"group_norm", "rloo", "gdpo", "opo", "max_rl"})
    for (const char* scale : {"group", "batch", "none"}) {
      ObjectiveConfig objective;
      objective.advantage_estimator = estimator;
      objective.scale_rewards = scale;
      const auto result = advantages_of(groups, objective);
      INFO(estimator << " " << scale);
      CHECK(result.values[0] == std::vector<float>(3, 0.0F));
      CHECK(result.values[1][1] > 0);
    }
}

TEST_CASE("advantages: a batch of equal rewards gives exactly 0 with every estimator") {
  const std::vector<Group> groups = {group_of({0.1, 0.1, 0.1}), group_of({0.1, 0.1, 0.1}, 5)};
  for (const char* estimator : kEstimators) {
    ObjectiveConfig objective;
    objective.advantage_estimator = estimator;
    for (const auto& row : advantages_of(groups, objective).values)
      CHECK(row == std::vector<float>(3, 0.0F));
  }
}

TEST_CASE("advantages: a completion that cannot be judged gets 0 and moves no other") {
  const std::vector<Group> with = {
      group_of({1.0, std::nullopt, 0.0, 0.25}),
      group_of({std::nullopt, std::nullopt, std::nullopt, 5.0}),
      group_of({std::nullopt, std::nullopt, std::nullopt, std::nullopt})};
  const std::vector<Group> without = {group_of({1.0, 0.0, 0.25}), group_of({5.0}), group_of({})};
  for (const char* estimator : kEstimators) {
    ObjectiveConfig objective;
    objective.advantage_estimator = estimator;
    const auto a = advantages_of(with, objective).values;
    const auto b = advantages_of(without, objective).values;
    INFO(estimator);
    CHECK(a[0] == std::vector<float>{b[0][0], 0.0F, b[0][1], b[0][2]});
    CHECK(a[1] == std::vector<float>{0.0F, 0.0F, 0.0F, b[1][0]});
    CHECK(a[2] == std::vector<float>(4, 0.0F));
    if (std::string_view(estimator) != "reinforce_pp") CHECK(a[1][3] == 0.0F);
  }
}

TEST_CASE("advantages: batch statistics do not depend on the order in which groups stand") {
  // far from 0, so that a mean that is rounded in another order shows
  std::vector<Group> groups;
  for (std::uint64_t g = 0; g < 7; ++g) {
    const double base = 1e8 + 1e-3 * static_cast<double>(g);
    groups.push_back(group_of({base, base + 7e-4, base + 1e-3 / 3.0, base + 5e-5}, 2 + g, g));
  }
  std::vector<Group> reversed(groups.rbegin(), groups.rend());
  for (const char* estimator : kEstimators) {
    ObjectiveConfig objective;
    objective.advantage_estimator = estimator;
    objective.scale_rewards = "batch";
    auto a = advantages_of(groups, objective).values;
    const auto b = advantages_of(reversed, objective).values;
    std::reverse(a.begin(), a.end());
    CHECK(a == b);
  }
}

TEST_CASE("advantages: a reward that is NaN is not hidden") {
  ObjectiveConfig objective;
  for (const char* estimator : kEstimators) {
    objective.advantage_estimator = estimator;
    const std::vector<Group> groups = {group_of({1.0, std::nan(""), 0.0})};
    CHECK(std::isnan(advantages_of(groups, objective).values[0][1]));
  }
}

TEST_CASE("advantages: a reward of another source has no part in gdpo and is no error") {
  ObjectiveConfig objective;
  objective.advantage_estimator = "gdpo";
  std::vector<Group> groups = {group_of({1.0, 0.0})};
  for (auto& score : groups[0].scores)
    score.parts.emplace_back();
  const std::vector<double> weights = {1.0, 2.0};
  const auto values = advantages({groups, weights, {}}, objective).values;
  CHECK(values[0][0] == Approx(std::sqrt(0.5)).epsilon(1e-3));
}

TEST_CASE("advantages: gdpo with the KL in the reward is refused") {
  ObjectiveConfig objective;
  objective.advantage_estimator = "gdpo";
  const std::vector<Group> groups = {group_of({1.0, 0.0})};
  const PerToken ratios(1, std::vector<std::vector<float>>(2, std::vector<float>(3, 0.1F)));
  const std::vector<double> weights = {1.0};
  CHECK_THROWS_AS(advantages({groups, weights, ratios}, objective), UserError);
}
