#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

namespace aha_test {

using AnswerPairs = std::vector<std::pair<std::string, std::string>>;

inline std::optional<double> judged(const std::string& gold, const std::string& answer) {
  return Judged{.text = answer, .row = {{"answer", gold}}, .bare = true}.by("math").score;
}

/// Of a whole completion, whose answer is looked for.
inline std::optional<double> completed(const std::string& gold, const std::string& completion) {
  return Judged{.text = completion, .row = {{"answer", gold}}}.by("math").score;
}

inline void check_same(const AnswerPairs& pairs) {
  for (const auto& [a, b] : pairs) {
    INFO(a << " and " << b);
    CHECK(judged(a, b) == 1.0);
    CHECK(judged(b, a) == 1.0);
    CHECK(judged(a, a) == 1.0);
  }
}

inline void check_other(const AnswerPairs& pairs) {
  for (const auto& [a, b] : pairs) {
    INFO(a << " and " << b);
    CHECK(judged(a, b) == 0.0);
    CHECK(judged(b, a) == 0.0);
  }
}

/// Golds and answers, where the other way round is another question.
inline void check_answers(const AnswerPairs& pairs, double score) {
  for (const auto& [gold, answer] : pairs) {
    INFO(gold << " and " << answer);
    CHECK(judged(gold, "\\boxed{" + answer + "}") == score);
  }
}

}  // namespace aha_test
