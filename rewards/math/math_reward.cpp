#include "rewards/math/math_reward.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rewards/math/choice.h"
#include "rewards/math/extraction.h"
#include "rewards/math/judgeable.h"
#include "rewards/memo.h"
#include "rewards/registry.h"
#include "rewards/row_fields.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

using math::Extraction;
using math::Verdict;

// Those of a step, and what its groups answer; a gold of 1,000 bytes may be a tree of 200 KB.
constexpr std::size_t kMostGolds = 256;
constexpr std::size_t kMostOutcomes = 4096;

/// A gold as it is compared; without readings `problem` says why.
struct Gold {
  math::Tree tree{};
  math::Readings readings{};
  bool percent = false;  ///< of a percentage: a sign behind the box of an answer counts
  bool letter = false;   ///< of a choice
  std::string problem{};
};

/// What comparing a gold and an answer gave.
struct Outcome {
  std::optional<double> score;
  std::string reason;
  std::int64_t steps = 1;
};

class MathReward final : public Reward {
 public:
  MathReward(Extraction rule, std::string answer_field, math::Conventions conventions)
      : rule_(rule), answer_field_(std::move(answer_field)), conventions_(conventions) {}

  bool is_verifier() const override { return true; }

  std::optional<std::string> gold_problem(const Json& row) const override {
    const auto text = text_field(row, answer_field_);
    if (!text) return missing();
    const auto gold = read(*text);
    return gold.readings.empty() ? std::optional(gold.problem) : std::nullopt;
  }

  RewardPart score(const Attempt& attempt) const override {
    const auto text = text_field(attempt.row, answer_field_);
    if (!text) return {std::nullopt, "", missing()};
    const auto gold = golds_.get(*text, [&] { return read(*text); });
    if (gold->readings.empty()) return {std::nullopt, "", gold->problem};
    const auto answer = extracted(attempt, gold->letter);
    if (answer.text.empty()) return {0.0, "", answer.how};
    if (attempt.truncated && !answer.closed) return {0.0, clipped(answer.text), "truncated", 1};
    const auto whole = answer.text + (answer.percent && gold->percent ? " \\%" : "");
    // the length says where the gold ends: either text may hold any byte
    const auto pair = fmt::format("{} {}{}", text->size(), *text, whole);
    const auto outcome = outcomes_.get(pair, [&] { return compared(*gold, whole); });
    return {outcome->score, clipped(answer.text),
            fmt::format("{} ({})", outcome->reason, answer.how), outcome->steps};
  }

  std::vector<std::string> explanation(const Attempt& attempt) const override {
    std::vector<std::string> lines;
    const auto gold = text_field(attempt.row, answer_field_).value_or("");
    for (const auto& [name, answer] :
         {std::pair{"gold", math::extracted_gold(gold)},
          std::pair{"prediction",
                    extracted(attempt, math::is_choice(math::extracted_gold(gold).text))}}) {
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
  std::string missing() const {
    return fmt::format("'{}' is missing or not a text or number", answer_field_);
  }

  math::Extracted extracted(const Attempt& attempt, bool letter) const {
    return letter ? math::extracted_letter(attempt.completion, rule_, attempt.bare)
                  : math::extracted_answer(attempt.completion, rule_, attempt.bare);
  }

  Gold read(const std::string& text) const {
    Gold gold;
    auto answer = math::extracted_gold(text);
    if (answer.text.empty()) {
      gold.problem = fmt::format("'{}': {}", answer_field_, answer.how);
      return gold;
    }
    gold.letter = math::is_choice(answer.text);
    if (gold.letter)
      answer.text = std::string(math::choice_label(answer.text).value_or(answer.text));
    std::string problem;
    gold.readings = math::readings_of(gold.tree, answer.text, problem);
    if (gold.readings.empty()) {
      gold.problem = fmt::format("'{}' is neither mathematics nor words: {}: '{}'", answer_field_,
                                 problem, clipped(answer.text));
      return gold;
    }
    if (const auto what = math::unevaluable(gold.tree, gold.readings[0])) {
      gold.problem = fmt::format("'{}' holds {}, which has no value here: '{}'", answer_field_,
                                 *what, clipped(answer.text));
      gold.readings.clear();
      return gold;
    }
    if (answer.percent) {
      for (const auto reading : math::readings_of(gold.tree, answer.text + " \\%", problem))
        gold.readings.push_back(reading);
    }
    gold.percent = std::any_of(gold.readings.begin(), gold.readings.end(), [&](math::Ref reading) {
      return math::contains(gold.tree, reading, math::Kind::Percent);
    });
    return gold;
  }

  Outcome compared(const Gold& gold, const std::string& answer) const {
    auto tree = gold.tree;
    std::string problem;
    std::int64_t steps = 0;
    math::Judgement judgement;
    try {
      const auto prediction = math::readings_of(tree, answer, problem);
      if (prediction.empty()) return {0.0, "no answer: " + problem};
      judgement = math::Comparison(tree, conventions_, steps).compare(gold.readings, prediction);
    } catch (const math::Refusal& refusal) {
      judgement = {Verdict::Unjudged, refusal.reason};
    }
    steps += static_cast<std::int64_t>(tree.size());
    if (judgement.verdict == Verdict::Equal) return {1.0, "right", steps};
    if (judgement.verdict == Verdict::Unjudged) {
      for (const auto reading : gold.readings) {
        if (const auto limit = math::limit_of(tree, reading, conventions_))
          return {std::nullopt, *limit, steps};
      }
    }
    return {0.0, judgement.reason, steps};
  }

  Extraction rule_;
  std::string answer_field_;
  math::Conventions conventions_;
  mutable Memo<Gold> golds_{kMostGolds};
  mutable Memo<Outcome> outcomes_{kMostOutcomes};
};

}  // namespace

std::unique_ptr<Reward> make_math_reward(const RewardOptions& options) {
  const auto rules = math::extraction_rules();
  std::vector<std::string> names;
  for (const auto& rule : rules)
    names.emplace_back(rule.name);
  const auto& name = options.choice("extraction", names);
  const auto place = std::find(names.begin(), names.end(), name) - names.begin();
  const std::array<std::string, 2> percent = {"fraction", "number"};
  const std::array<std::string, 2> order = {"free", "kept"};
  math::Conventions conventions;
  const auto precision = options.whole("precision", 0);
  if (precision > 30)
    fail("reward 'math': option 'precision' is {}, expected at most 30", precision);
  conventions.precision = static_cast<int>(precision);
  conventions.percent_is_number = options.choice("percent", percent) == "number";
  conventions.ordered_lists = options.choice("list_order", order) == "kept";
  return std::make_unique<MathReward>(rules[static_cast<std::size_t>(place)].place,
                                      options.text("answer_field"), conventions);
}

RewardInfo math_reward() {
  return {"math",
          "the answer means the same as the gold, as mathematics or as words",
          {{"extraction", "auto",
            "auto, boxed, answer_tag, hash, final_answer, last, whole, answer_line, choice, "
            "code_block, or "
            "a benchmark: see rewards/README.md"},
           {"answer_field", "answer", "the row's field with the gold"},
           {"precision", "6", "decimals at which numbers with a decimal point are compared"},
           {"percent", "fraction", "fraction: 28% is 0.28; number: 28% is 28"},
           {"list_order", "free", "free: '1, 2' is '2, 1'; kept: it is not"}},
          make_math_reward};
}

}  // namespace aha
