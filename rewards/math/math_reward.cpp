#include "rewards/math/math_reward.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rewards/math/extraction.h"
#include "rewards/row_fields.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

using math::Extraction;
using math::Verdict;

const std::array<std::string, 7> kRules = {  // NOLINT(bugprone-throwing-static-initialization)
    "auto", "boxed", "answer_tag", "hash", "final_answer", "last", "whole"};

class MathReward final : public Reward {
 public:
  MathReward(Extraction rule, std::string answer_field, math::Conventions conventions)
      : rule_(rule), answer_field_(std::move(answer_field)), conventions_(conventions) {}

  bool is_verifier() const override { return true; }

  std::optional<std::string> gold_problem(const Json& row) const override {
    math::Tree tree;
    math::Readings readings;
    return gold_readings(tree, row, readings);
  }

  RewardPart score(const Attempt& attempt) const override {
    math::Tree tree;
    math::Readings gold;
    if (auto problem = gold_readings(tree, attempt.row, gold)) return {std::nullopt, "", *problem};
    const auto answer = math::extracted_answer(attempt.completion, rule_, attempt.bare);
    if (answer.text.empty()) return {0.0, "", answer.how};
    RewardPart part{0.0, clipped(answer.text), "", 1};
    if (attempt.truncated && !answer.closed) {
      part.reason = "truncated";
      return part;
    }
    std::string problem;
    const auto prediction = math::readings_of(tree, answer.text, problem);
    if (prediction.empty()) {
      part.reason = fmt::format("no answer: {} ({})", problem, answer.how);
      return part;
    }
    std::int64_t steps = 0;
    math::Judgement judgement;
    try {
      judgement = math::Comparison(tree, conventions_, steps).compare(gold, prediction);
    } catch (const math::Refusal& refusal) {
      judgement = {Verdict::Unjudged, refusal.reason};
    }
    part.steps = steps + static_cast<std::int64_t>(tree.size());
    part.reason = judgement.verdict == Verdict::Equal
                      ? fmt::format("right ({})", answer.how)
                      : fmt::format("{} ({})", judgement.reason, answer.how);
    if (judgement.verdict == Verdict::Unjudged)
      part.score = std::nullopt;
    else
      part.score = judgement.verdict == Verdict::Equal ? 1.0 : 0.0;
    return part;
  }

  std::vector<std::string> explanation(const Attempt& attempt) const override {
    std::vector<std::string> lines;
    const auto gold = text_field(attempt.row, answer_field_).value_or("");
    for (const auto& [name, answer] :
         {std::pair{"gold", math::extracted_gold(gold)},
          std::pair{"prediction",
                    math::extracted_answer(attempt.completion, rule_, attempt.bare)}}) {
      lines.push_back(fmt::format("{}: '{}' ({})", name, clipped(answer.text), answer.how));
      math::Tree tree;
      std::string problem;
      for (const auto reading : math::readings_of(tree, answer.text, problem))
        lines.push_back(fmt::format("{} reads: {}", name, math::described(tree, reading)));
      if (!problem.empty()) lines.push_back(fmt::format("{} is no mathematics: {}", name, problem));
    }
    const auto part = score(attempt);
    lines.push_back(fmt::format("{}, {} steps", part.reason, part.steps));
    return lines;
  }

 private:
  std::optional<std::string> gold_readings(math::Tree& tree, const Json& row,
                                           math::Readings& readings) const {
    const auto gold = text_field(row, answer_field_);
    if (!gold) return fmt::format("'{}' is missing or not a text or number", answer_field_);
    const auto answer = math::extracted_gold(*gold);
    if (answer.text.empty()) return fmt::format("'{}': {}", answer_field_, answer.how);
    std::string problem;
    readings = math::readings_of(tree, answer.text, problem);
    if (!readings.empty()) return std::nullopt;
    return fmt::format("'{}' is neither mathematics nor words: {}: '{}'", answer_field_, problem,
                       clipped(answer.text));
  }

  Extraction rule_;
  std::string answer_field_;
  math::Conventions conventions_;
};

}  // namespace

std::unique_ptr<Reward> make_math_reward(const RewardOptions& options) {
  const auto& rule = options.choice("extraction", kRules);
  const auto place = std::find(kRules.begin(), kRules.end(), rule) - kRules.begin();
  const std::array<std::string, 2> percent = {"fraction", "number"};
  const std::array<std::string, 2> order = {"free", "kept"};
  math::Conventions conventions;
  const auto precision = options.whole("precision", 0);
  if (precision > 30)
    fail("reward 'math': option 'precision' is {}, expected at most 30", precision);
  conventions.precision = static_cast<int>(precision);
  conventions.percent_is_number = options.choice("percent", percent) == "number";
  conventions.ordered_lists = options.choice("list_order", order) == "kept";
  return std::make_unique<MathReward>(static_cast<Extraction>(place), options.text("answer_field"),
                                      conventions);
}

}  // namespace aha
