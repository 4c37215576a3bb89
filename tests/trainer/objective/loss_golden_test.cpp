// The golden losses were first compared with TRL's own trainer: see make_objective.py.
#include <algorithm>

#include "tests/trainer/objective/support.h"

using namespace aha;
using namespace aha_test;

namespace {

/// Largest distance, relative to the largest value of the golden (design rule 9).
double relative_error(const std::vector<float>& values, const Json& rows) {
  double largest = 0, error = 0;
  std::size_t at = 0;
  for (const auto& row : rows)
    for (const auto& value : row) {
      const double expected = value.get<double>();
      largest = std::max(largest, std::abs(expected));
      error = std::max(error, std::abs(expected - (values.empty() ? 0.0 : values.at(at))));
      ++at;
    }
  REQUIRE((values.empty() || at == values.size()));
  return largest == 0 ? error : error / largest;
}

}  // namespace

TEST_CASE("policy loss: value, derivatives and counts equal PyTorch's for every recipe") {
  REQUIRE(golden().at("losses").size() > 100);
  for (const auto& entry : golden().at("losses")) {
    const ObjectiveConfig objective = objective_of(entry.at("objective"));
    INFO(entry.at("objective").dump());
    const auto samples = golden_samples(entry.at("token_advantages").get<bool>(), true);
    const LossResult result = run_loss(objective, samples);
    const auto& stats = result.stats;
    CHECK(stats.loss == Approx(entry.at("loss").get<double>()).epsilon(1e-9).margin(1e-12));
    CHECK(stats.entropy_loss ==
          Approx(entry.at("entropy_loss").get<double>()).epsilon(1e-9).margin(1e-12));
    CHECK(stats.kl_sum == Approx(entry.at("kl_sum").get<double>()).epsilon(1e-9));
    CHECK(stats.entropy_sum == Approx(entry.at("entropy_sum").get<double>()).epsilon(1e-9));
    CHECK(stats.tokens == entry.at("tokens").get<std::int64_t>());
    CHECK(stats.sequences == entry.at("sequences").get<std::int64_t>());
    const bool cispo = objective.policy_loss == "cispo";
    CHECK((cispo ? stats.capped : stats.clipped_high) == entry.at("high").get<std::int64_t>());
    if (!cispo) CHECK(stats.clipped_low == entry.at("low").get<std::int64_t>());
    CHECK(relative_error(result.d_logprob, entry.at("d_logprob")) <= 1e-6);
    CHECK(relative_error(result.d_entropy, entry.at("d_entropy")) <= 1e-6);
  }
}

TEST_CASE("policy loss: any cut into micro-batches gives the same derivatives, bit for bit") {
  for (const auto& entry : golden().at("losses")) {
    const ObjectiveConfig objective = objective_of(entry.at("objective"));
    INFO(entry.at("objective").dump());
    const auto samples = golden_samples(entry.at("token_advantages").get<bool>(), true);
    const LossTotals totals = totals_of(objective, samples);
    const LossResult whole = run_loss(objective, samples, totals, 0, samples.size());
    for (const std::size_t size : {1U, 2U, 4U}) {
      LossResult sum;
      for (std::size_t i = 0; i < samples.size(); i += size) {
        const auto part =
            run_loss(objective, samples, totals, i, std::min(i + size, samples.size()));
        sum.stats.add(part.stats);
        sum.d_logprob.insert(sum.d_logprob.end(), part.d_logprob.begin(), part.d_logprob.end());
        sum.d_entropy.insert(sum.d_entropy.end(), part.d_entropy.begin(), part.d_entropy.end());
      }
      CHECK(sum.d_logprob == whole.d_logprob);
      CHECK(sum.d_entropy == whole.d_entropy);
      CHECK(sum.stats.loss == Approx(whole.stats.loss).epsilon(1e-12).margin(1e-14));
      CHECK(sum.stats.tokens == whole.stats.tokens);
      CHECK(sum.stats.clip_low_min == whole.stats.clip_low_min);
      CHECK(sum.stats.clip_high_max == whole.stats.clip_high_max);
    }
  }
}
