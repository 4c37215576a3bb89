#include "rewards/numeric.h"

#include <fmt/format.h>

#include <array>

#include "rewards/decimal.h"
#include "rewards/registry.h"
#include "rewards/row_fields.h"
#include "rewards/text_scan.h"

namespace aha {
namespace {

constexpr std::string_view kMark = "####";

/// What follows the last mark; the whole text without one.
std::string_view after_mark(std::string_view text) {
  const auto mark = text.rfind(kMark);
  return mark == std::string_view::npos ? text : text.substr(mark + kMark.size());
}

class NumericReward final : public Reward {
 public:
  NumericReward(bool tagged, std::string answer_field)
      : tagged_(tagged), answer_field_(std::move(answer_field)) {}

  bool is_verifier() const override { return true; }

  std::optional<std::string> gold_problem(const Json& row) const override {
    const auto gold = text_field(row, answer_field_);
    if (!gold) return fmt::format("'{}' is missing or not a text or number", answer_field_);
    if (!sole_number(after_mark(*gold)))
      return fmt::format("'{}' is not one number: '{}'", answer_field_,
                         clipped(trimmed(after_mark(*gold))));
    return std::nullopt;
  }

  RewardPart score(const Attempt& attempt) const override {
    if (auto problem = gold_problem(attempt.row)) return {std::nullopt, "", *problem};
    const auto gold = *sole_number(after_mark(*text_field(attempt.row, answer_field_)));
    const auto text = after_thought(attempt.completion);
    std::string_view from = text;
    std::optional<WrittenNumber> number;
    bool ended = !attempt.truncated;
    if (tagged_ && !attempt.bare) {
      const auto answer = last_tagged(text, "answer");
      if (!answer) return {0.0, "", "no <answer>...</answer>"};
      from = *answer;
      number = last_number(from);
      ended = true;
    } else if (const auto rest = after_mark(text); rest.size() < text.size()) {
      from = rest;
      number = first_number(from);
      // ",0" or ".5" may still be growing into the same number
      ended = ended || (number && from.find_first_not_of(".,0123456789", number->end) !=
                                      std::string_view::npos);
    } else {
      number = last_number(from);
    }
    if (!number) return {0.0, "", "no number"};
    RewardPart part{0.0, clipped(from.substr(number->begin, number->end - number->begin)), "", 1};
    const bool right = number->value == gold;
    if (!ended) {
      part.reason = "truncated";
    } else {
      part.score = right ? 1.0 : 0.0;
      part.reason = right ? "right" : fmt::format("{}, wanted {}", clipped(number->value), gold);
    }
    return part;
  }

 private:
  bool tagged_;
  std::string answer_field_;
};

}  // namespace

std::unique_ptr<Reward> make_numeric_reward(const RewardOptions& options) {
  const std::array<std::string, 2> allowed = {"last", "answer_tag"};
  return std::make_unique<NumericReward>(options.choice("extraction", allowed) == "answer_tag",
                                         options.text("answer_field"));
}

RewardInfo numeric_reward() {
  return {"numeric",
          "the number after ####, else the last one, equals the gold",
          {{"extraction", "last", "last: see above; answer_tag: in the last <answer>...</answer>"},
           {"answer_field", "answer", "the row's field with the gold"}},
          make_numeric_reward};
}

}  // namespace aha
