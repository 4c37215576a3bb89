#include "rewards/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "rewards/row_fields.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr std::int64_t kLargest = 99;
constexpr std::size_t kAnswerWords = 6;  // => a o b o' c

/// The words of the vocabulary: 0 to 99 without leading zeros.
std::optional<std::int64_t> number_word(std::string_view word) {
  if (word.size() == 1 && is_digit(word[0])) return word[0] - '0';
  if (word.size() != 2 || !is_digit(word[0]) || word[0] == '0' || !is_digit(word[1]))
    return std::nullopt;
  return 10 * (word[0] - '0') + (word[1] - '0');
}

std::int64_t applied(char op, std::int64_t a, std::int64_t b) {
  return op == '+' ? a + b : op == '-' ? a - b : a * b;
}

class CountdownWaitReward final : public Reward {
 public:
  explicit CountdownWaitReward(std::string operators) : operators_(std::move(operators)) {}

  bool is_verifier() const override { return true; }

  std::optional<std::string> gold_problem(const Json& row) const override {
    const auto nums = whole_list_field(row, "nums");
    const auto is_word = [](std::int64_t n) { return n >= 0 && n <= kLargest; };
    if (!nums || nums->size() != 3 || !std::all_of(nums->begin(), nums->end(), is_word))
      return "'nums' is not a list of three whole numbers from 0 to 99";
    if (!whole_field(row, "target")) return "'target' is not a whole number";
    return std::nullopt;
  }

  RewardPart score(const Attempt& attempt) const override {
    if (auto problem = gold_problem(attempt.row)) return {std::nullopt, "", *problem};
    if (attempt.truncated) return {0.0, "", "truncated"};
    auto words = last_words(attempt.completion, kAnswerWords);
    if (attempt.bare && words.size() + 1 == kAnswerWords) words.insert(words.begin(), "=>");
    if (words.size() < kAnswerWords || words[0] != "=>")
      return {0.0, "", "does not end in '=> a o b o c'"};
    RewardPart part{0.0, "", "", 1};
    part.extracted = clipped(fmt::format("{}", fmt::join(words.begin() + 1, words.end(), " ")));

    const auto a = number_word(words[1]);
    const auto b = number_word(words[3]);
    const auto c = number_word(words[5]);
    if (!a || !b || !c || !allows(words[2]) || !allows(words[4])) {
      part.reason = "not three numbers with two operators between";
      return part;
    }
    std::array<std::int64_t, 3> used = {*a, *b, *c};
    const auto nums = *whole_list_field(attempt.row, "nums");
    const auto value = applied(words[4][0], applied(words[2][0], *a, *b), *c);
    const auto target = *whole_field(attempt.row, "target");
    if (!std::is_permutation(used.begin(), used.end(), nums.begin())) {
      part.reason = fmt::format("uses {}, given {}", used, nums);
    } else if (value != target) {
      part.reason = fmt::format("value {}, wanted {}", value, target);
    } else {
      part.score = 1.0;
      part.reason = "right";
    }
    return part;
  }

 private:
  bool allows(std::string_view word) const {
    return word.size() == 1 && operators_.find(word[0]) != std::string::npos;
  }

  std::string operators_;
};

std::unique_ptr<Reward> make_countdown_wait_reward(const RewardOptions& options) {
  const auto& operators = options.text("operators");
  if (operators.empty() || operators.find_first_not_of("+-*") != std::string::npos) {
    fail("reward '{}': option 'operators' is '{}', expected some of +-*", options.reward(),
         operators);
  }
  return std::make_unique<CountdownWaitReward>(operators);
}

}  // namespace

/// The countdown of words: 1 if the text ends in the words `=> a o b o' c`, where a, b, c are
/// row["nums"], each exactly once, and (a o b) o' c == row["target"] (from the left: no
/// precedence). Everything before is free. A truncated attempt scores 0.
/// `extracted` is `a o b o' c`. An attempt that is `bare` may leave the `=>` out.
///
/// Option `operators`: which of + - * the answer may use. A row whose `nums` is not three whole
/// numbers from 0 to 99 (one word each), or without a whole `target`, cannot be judged.
RewardInfo countdown_wait_reward() {
  return {"countdown_wait",
          "ends in `=> a o b o c`, each of `nums` once, equal to `target` from the left",
          {{"operators", "+-*", "operators that count"}},
          make_countdown_wait_reward};
}

}  // namespace aha
