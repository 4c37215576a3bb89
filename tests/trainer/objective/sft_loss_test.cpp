#include "trainer/objective/sft_loss.h"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.h"

TEST_CASE("sft loss: is the mean negative log-likelihood of what counts, by the step's total") {
  const std::vector<float> logprobs = {-1.0F, -2.0F, -4.0F};
  const std::vector<float> entropies = {0.5F, 0.25F, 1.0F};
  const std::vector<std::uint8_t> mask = {1, 0, 1};
  std::vector<float> d(3, 9.0F);
  const auto stats = aha::sft_loss(logprobs, entropies, mask, 4, d);
  CHECK(stats.loss == 1.25);
  CHECK(stats.entropy_sum == 1.5);
  CHECK(d == std::vector<float>{-0.25F, 0.0F, -0.25F});
}

TEST_CASE("sft loss: nothing that counts is a loss of 0, not a division by 0") {
  const std::vector<float> values = {-1.0F};
  const std::vector<std::uint8_t> mask = {0};
  std::vector<float> d(1, 9.0F);
  CHECK(aha::sft_loss(values, values, mask, 0, d).loss == 0.0);
  CHECK(d[0] == 0.0F);
}

TEST_CASE("sft loss: a value that is not finite reaches the loss, unless it is masked") {
  const std::vector<float> entropies = {0.5F, 0.5F};
  std::vector<float> d(2);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    const std::vector<float> logprobs = {-1.0F, bad};
    CHECK_FALSE(std::isfinite(
        aha::sft_loss(logprobs, entropies, std::vector<std::uint8_t>{1, 1}, 2, d).loss));
    CHECK(aha::sft_loss(logprobs, entropies, std::vector<std::uint8_t>{1, 0}, 1, d).loss == 1.0);
  }
}
