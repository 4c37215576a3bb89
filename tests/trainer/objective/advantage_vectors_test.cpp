// Published vectors and identities of the estimators.
#include <cmath>

#include "tests/support/catch.h"
#include "tests/trainer/objective/groups.h"

using namespace aha;
using namespace aha_test;

namespace {

std::vector<float> advantages_of(const Group& group, const ObjectiveConfig& objective) {
  const std::vector<double> weights = {1.0};
  return advantages({std::span(&group, 1), weights, {}}, objective).values.front();
}

ObjectiveConfig exact(const char* estimator, std::int64_t ddof = 1) {
  ObjectiveConfig objective;
  objective.advantage_estimator = estimator;
  objective.std_ddof = ddof;
  objective.std_epsilon = 0.0;
  return objective;
}

}  // namespace

TEST_CASE("group_norm: k right of G gives sqrt((G-k)/k) and -sqrt(k/(G-k)) with ddof 0") {
  for (const int n : {2, 8, 16, 64})
    for (int k = 1; k < n; k += 1 + n / 8) {
      const auto values = advantages_of(binary_group(k, n), exact("group_norm", 0));
      CHECK(values.front() == Approx(std::sqrt(static_cast<double>(n - k) / k)).epsilon(1e-6));
      CHECK(values.back() == Approx(-std::sqrt(static_cast<double>(k) / (n - k))).epsilon(1e-6));
    }
}

TEST_CASE("group_norm: ddof 1 shrinks by sqrt((G-1)/G): 0.968 at 16, 0.707 at 2") {
  for (const auto& [n, factor] : {std::pair{16, 0.968}, {2, 0.707}}) {
    const auto one = advantages_of(binary_group(1, n), exact("group_norm", 1));
    const auto zero = advantages_of(binary_group(1, n), exact("group_norm", 0));
    CHECK(one.front() / zero.front() == Approx(factor).margin(5e-4));
  }
}

TEST_CASE("group_norm: one slip in format among sixteen gets -3.75, unless nothing divides") {
  Group group = binary_group(15, 16);
  for (auto& score : group.scores)
    score.total = 0.1 * *score.total;
  auto objective = exact("group_norm", 1);
  CHECK(advantages_of(group, objective).back() == Approx(-3.75).epsilon(1e-6));
  objective.scale_rewards = "none";
  CHECK(advantages_of(group, objective).back() == Approx(-0.1 * 15 / 16).epsilon(1e-6));
}

TEST_CASE("group_norm: rewards whose sum is constant teach nothing, gdpo's parts do") {
  Group group = group_of({1.0, 1.0});
  for (std::size_t c = 0; c < 2; ++c) {
    const double first = c == 0 ? 1.0 : 0.0;
    group.scores[c].parts = {{first, {}, {}, 0}, {1.0 - first, {}, {}, 0}};
  }
  const std::vector<double> weights = {1.0, 0.5};
  ObjectiveConfig objective;
  CHECK(advantages({std::span(&group, 1), weights, {}}, objective).values[0][0] == 0.0F);
  objective.advantage_estimator = "gdpo";
  CHECK(advantages({std::span(&group, 1), weights, {}}, objective).values[0][0] > 0.5F);
}

TEST_CASE("rloo: is G/(G-1) (r - mean), the reward less the mean of the others") {
  const auto values = advantages_of(group_of({1.0, 0.0, 0.5, 3.0}), exact("rloo"));
  CHECK(values[0] == Approx(4.0 / 3.0 * (1.0 - 1.125)));
  CHECK(values[0] == Approx(1.0 - (0.0 + 0.5 + 3.0) / 3));
  CHECK(values[3] == Approx(3.0 - 0.5));
}

TEST_CASE("rloo: takes beta times the completion's log-ratio to the reference from the reward") {
  auto objective = exact("rloo");
  objective.beta = 0.5;
  const Group group = group_of({1.0, 0.0}, 2);
  const std::vector<std::vector<std::vector<float>>> ratios = {{{0.5F, 0.5F}, {0.25F, -0.25F}}};
  const std::vector<double> weights = {1.0};
  const auto values = advantages({std::span(&group, 1), weights, ratios}, objective).values[0];
  CHECK(values[0] == Approx((1.0 - 0.5) - 0.0));
}

TEST_CASE("opo: the baseline weighs rewards by length") {
  Group group = group_of({1.0, 0.0});
  group.completions[0].sampled.assign(3, 1);
  group.completions[1].sampled.assign(1, 1);
  const auto values = advantages_of(group, exact("opo"));
  CHECK(values[0] == 0.25F);
  CHECK(values[1] == -0.75F);
}

TEST_CASE("max_rl: k right of G gives (G-k)/k and -1, and nothing where none is right") {
  const auto values = advantages_of(binary_group(2, 8), exact("max_rl"));
  CHECK(values.front() == 3.0F);
  CHECK(values.back() == -1.0F);
  CHECK(advantages_of(binary_group(0, 8), exact("max_rl")).front() == 0.0F);
}

TEST_CASE(
    "reinforce_pp: the return to go sums the KL rewards of later tokens; given ones have none") {
  auto objective = exact("reinforce_pp", 0);
  objective.beta = 1.0;
  Group group = group_of({2.0}, 4);
  group.completions[0].sampled = {1, 0, 1, 1};
  // returns: 2 - .5 - .25 - 1, (given), 2 - .5 - .25, 2 - .5  ->  0.25, 1.25, 1.5
  const std::vector<std::vector<std::vector<float>>> ratios = {{{1.0F, 9.0F, 0.25F, 0.5F}}};
  const std::vector<double> weights = {1.0};
  const auto result = advantages({std::span(&group, 1), weights, ratios}, objective);
  const double std = std::sqrt((0.75 * 0.75 + 0.25 * 0.25 + 0.5 * 0.5) / 3 + 1e-8);
  const auto& tokens = result.tokens[0][0];
  CHECK(tokens[0] == Approx(-0.75 / std));
  CHECK(tokens[1] == 0.0F);
  CHECK(tokens[2] == Approx(0.25 / std));
  CHECK(tokens[3] == Approx(0.5 / std));
  CHECK(result.values[0][0] == Approx(0.0).margin(1e-6));
}

TEST_CASE("reinforce_pp: whitened values have mean 0 and variance 1 over the tokens of the batch") {
  std::vector<Group> groups = {group_of({1.0, 0.0}, 2), group_of({0.5, 0.0}, 5)};
  const std::vector<double> weights = {1.0};
  const auto values = advantages({groups, weights, {}}, exact("reinforce_pp", 0)).values;
  const double mean = (2 * (values[0][0] + values[0][1]) + 5 * (values[1][0] + values[1][1])) / 14;
  double squares = 0;
  for (std::size_t g = 0; g < 2; ++g)
    for (const float v : values[g])
      squares += (g == 0 ? 2.0 : 5.0) * v * v;
  CHECK(mean == Approx(0.0).margin(1e-6));
  CHECK(squares / 14 == Approx(1.0).epsilon(1e-6));
}
