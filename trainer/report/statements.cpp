#include "trainer/report/statements.h"

#include <fmt/format.h>

#include <algorithm>

namespace aha {
namespace {

using Limits = VerdictThresholds;

/// First and last evaluation; unknown with fewer than two.
Change evaluations(const StageRecord& stage, const std::string& key) {
  const Series* series = stage.find(key);
  if (series == nullptr || series->size() < 2) return {};
  return {true, series->first(), series->last(), std::nullopt, key};
}

/// The curve's two ends; unknown when they would overlap.
Change ends(const StageRecord& stage, const std::string& key) {
  const Series* series = stage.find(key);
  if (series == nullptr) return {};
  const auto first = first_mean(*series, Limits::kWindow, Limits::kLeastPoints);
  const auto last = last_mean(*series, Limits::kWindow, Limits::kLeastPoints);
  if (first.count < Limits::kLeastPoints || first.count + last.count > series->size()) return {};
  return {true, first.mean, last.mean, std::hypot(first.standard_error, last.standard_error), key};
}

/// On held-out problems where they were asked, else over training.
Change change_of(const StageRecord& stage, const std::string& key) {
  const Change held_out = evaluations(stage, "eval_" + key);
  return held_out.known ? held_out : ends(stage, key);
}

/// How much two values of the training reward differ by chance, from one step to another: an error for
/// evaluations that were logged without one, which are of more completions than a step mostly.
std::optional<double> spread_of_reward(const StageRecord& stage) {
  const Series* series = stage.find("reward");
  if (!ends(stage, "reward").known) return std::nullopt;
  const auto spread = [](const WindowMean& window) {
    return window.standard_error * std::sqrt(static_cast<double>(window.count));
  };
  const double both = std::hypot(spread(first_mean(*series, Limits::kWindow, Limits::kLeastPoints)),
                                 spread(last_mean(*series, Limits::kWindow, Limits::kLeastPoints)));
  return both > 0 ? std::optional(both) : std::nullopt;
}

/// Of accuracy, else of the reward: other programs log no accuracy of its own.
Change held_out_change(const StageRecord& stage) {
  Change change = evaluations(stage, "eval_accuracy");
  if (!change.known) {
    change = evaluations(stage, "eval_reward");
    change.error = spread_of_reward(stage);
    return change;
  }
  const Change errors = evaluations(stage, "eval_accuracy_stderr");
  if (errors.known) change.error = std::hypot(errors.before, errors.after);
  return change;
}

Statement unknown(std::string id, std::string question, std::string needs, std::string chart) {
  return {std::move(id), Mood::Unknown, std::move(question) + " Not enough data",
          "needs " + std::move(needs), std::move(chart)};
}

std::string from_to(const Change& change, int digits) {
  return fmt::format("{} {:.{}f} -> {:.{}f}", change.measure, change.before, digits, change.after,
                     digits);
}

/// +1 for a sure rise, -1 for a sure fall.
int direction(const Change& change) {
  constexpr double kRounding = 1e-9;
  const double rounding = kRounding * std::max(std::abs(change.before), std::abs(change.after));
  const double margin =
      change.error ? std::max(Limits::kSure * *change.error, rounding) : Limits::kChance;
  if (!change.beyond(margin)) return 0;
  return change.difference() > 0 ? 1 : -1;
}

Statement reward_statement(const StageRecord& stage, Facts& facts) {
  const Change change = ends(stage, "reward");
  if (!change.known)
    return unknown("reward", "Did the reward rise?",
                   fmt::format("{} training steps", 2 * Limits::kLeastPoints), "reward");
  facts.reward = direction(change);
  const std::string numbers =
      fmt::format("{}, first and last tenth of the steps (+-{:.3f})", from_to(change, 3),
                  Limits::kSure * change.error.value_or(0));
  if (facts.reward > 0) return {"reward", Mood::Good, "The reward rose", numbers, "reward"};
  if (facts.reward < 0) return {"reward", Mood::Bad, "The reward fell", numbers, "reward"};
  return {"reward", Mood::Watch, "The reward stayed where it was", numbers, "reward"};
}

Statement held_out_statement(const StageRecord& stage, Facts& facts) {
  const Change change = held_out_change(stage);
  if (!change.known)
    return unknown("held_out", "Did it get better on held-out problems?",
                   "two evaluations (eval.eval_steps)", "accuracy");
  facts.held_out_change = change;
  if (change.of_reward() && !change.error)
    return unknown("held_out", "Did it get better on held-out problems?",
                   "more training steps: how far eval_reward, which may have any scale, changes by "
                   "chance is not known",
                   "reward");
  facts.judged = true;
  facts.held_out = direction(change);
  const char* chart = change.of_reward() ? "reward" : "accuracy";
  const std::string what = fmt::format("Held-out {}", chart);
  std::string numbers = from_to(change, 3);
  if (change.error)
    numbers += fmt::format(", difference +-{:.3f} ({})", Limits::kSure * *change.error,
                           change.of_reward() ? "by the spread of the training reward" : "95 %");
  else
    numbers += ", standard error not recorded";
  if (facts.held_out > 0) return {"held_out", Mood::Good, what + " rose", numbers, chart};
  if (facts.held_out < 0) return {"held_out", Mood::Bad, what + " fell", numbers, chart};
  if (facts.reward > 0)
    numbers +=
        "; the reward in training rose all the same: learnt by heart, or a reward that is not "
        "accuracy?";
  return {"held_out", facts.reward > 0 ? Mood::Bad : Mood::Watch, what + " did not change surely",
          numbers, chart};
}

Statement length_statement(const StageRecord& stage, Facts& facts) {
  const Change length = change_of(stage, "completions/mean_length");
  const Change words = change_of(stage, "reflection/per_completion");
  facts.words_known = words.known;
  if (words.known) {
    facts.words_before = words.before;
    facts.words_after = words.after;
    const double ratio = words.before > 0 ? words.after / words.before : INFINITY;
    if (words.beyond(Limits::kMoreWords) && ratio >= Limits::kWordsRatio) facts.words = 1;
    if (words.beyond(Limits::kMoreWords) && ratio <= 1 / Limits::kWordsRatio) facts.words = -1;
  }
  if (!length.known)
    return unknown("length", "Did answers grow?", "two evaluations, or ten steps", "length");
  const double ratio = length.before > 0 ? length.after / length.before : 1;
  facts.length = ratio >= Limits::kLonger ? 1 : ratio <= 1 / Limits::kLonger ? -1 : 0;
  std::string numbers = from_to(length, 1) + " tokens";
  if (words.known) numbers += "; " + from_to(words, 2);
  const char* how = facts.words > 0 ? ", with reflection" : ", without more reflection";
  if (facts.length > 0)
    return {"length", facts.words > 0 ? Mood::Good : Mood::Neutral,
            std::string("Answers grew") + (words.known ? how : ""), numbers, "length"};
  if (facts.length < 0)
    return {"length", Mood::Neutral, "Answers became shorter", numbers, "length"};
  return {"length", Mood::Neutral, "Answers kept their length", numbers, "length"};
}

Statement reflection_statement(const StageRecord& stage, Facts& facts) {
  const Change words = change_of(stage, "reflection/per_completion");
  if (!words.known)
    return unknown("reflection", "Did it reflect more?", "two evaluations, or ten steps",
                   "reflection");
  const std::string numbers = from_to(words, 2) + " words of log.reflection_words a completion";
  if (facts.words > 0) return {"reflection", Mood::Good, "Reflection grew", numbers, "reflection"};
  if (facts.words < 0)
    return {"reflection", Mood::Watch, "Reflection died out", numbers, "reflection"};
  if (words.before < Limits::kMoreWords && words.after < Limits::kMoreWords)
    return {"reflection", Mood::Neutral, "There is hardly a reflective word", numbers,
            "reflection"};
  return {"reflection", Mood::Neutral, "Reflection stayed as it was", numbers, "reflection"};
}

Statement use_statement(const StageRecord& stage, Facts& facts) {
  facts.gap = change_of(stage, "verification_gap");
  if (facts.gap.known) {
    const std::string numbers =
        from_to(facts.gap, 2) +
        ": how much more often it goes on after a miss (a wrong try) than after a hit";
    const double gap = facts.gap.after;
    if (gap >= Limits::kKnowsMiss)
      return {"use", Mood::Good, "It knows a miss when it sees one", numbers, "verification"};
    if (gap < Limits::kBlind && facts.gap.before < Limits::kBlind)
      return {"use", Mood::Bad, "It goes on after a hit as often as after a miss", numbers,
              "verification"};
    return {"use", Mood::Neutral, "It tells a miss from a hit a little", numbers, "verification"};
  }
  const Change with = ends(stage, "reflection/accuracy_with");
  const Change without = ends(stage, "reflection/accuracy_without");
  if (!with.known || !without.known)
    return unknown("use", "Does reflection pay?", "ten steps with and without reflective words",
                   "reflection_pays");
  const std::string numbers = fmt::format(
      "at the end {:.3f} right with reflective words, {:.3f} without", with.after, without.after);
  if (with.after > without.after + Limits::kChance)
    return {"use", Mood::Good, "Answers with reflection are more often right", numbers,
            "reflection_pays"};
  return {"use", Mood::Neutral, "Answers with reflection are not more often right", numbers,
          "reflection_pays"};
}

Statement entropy_statement(const StageRecord& stage, const Facts& facts) {
  const Change entropy = ends(stage, "entropy");
  if (!entropy.known || entropy.before <= 0)
    return unknown("entropy", "Did entropy collapse?", "ten training steps", "entropy");
  const double share = entropy.after / entropy.before;
  const std::string numbers =
      fmt::format("{} nats, {:.0f} % of the beginning", from_to(entropy, 3), 100 * share);
  const bool learnt = facts.reward > 0 || facts.held_out > 0;
  if (share < Limits::kCollapsed)
    return {"entropy", learnt ? Mood::Watch : Mood::Bad,
            learnt ? "Entropy is used up: there is little left to explore"
                   : "Entropy collapsed before it learnt",
            numbers, "entropy"};
  if (share < Limits::kNarrow)
    return {"entropy", Mood::Neutral, "Entropy fell", numbers, "entropy"};
  return {"entropy", Mood::Good, "Entropy held", numbers, "entropy"};
}

Statement truncation_statement(const StageRecord& stage) {
  const Series* cut = stage.find("completions/clipped_ratio");
  if (cut == nullptr)
    return unknown("truncation", "Are answers cut?", "a training step", "truncated");
  const double end = last_mean(*cut, Limits::kWindow, Limits::kLeastPoints).mean;
  const std::string numbers =
      fmt::format("{:.1f} % of answers reach max_completion_length at the end", 100 * end);
  if (end >= Limits::kManyCut)
    return {"truncation", Mood::Bad, "Many answers are cut", numbers, "truncated"};
  if (end >= Limits::kCut)
    return {"truncation", Mood::Watch, "Some answers are cut", numbers, "truncated"};
  return {"truncation", Mood::Good, "Answers come to their end", numbers, "truncated"};
}

Statement groups_statement(const StageRecord& stage) {
  const Series* equal = stage.find("frac_reward_zero_std");
  if (equal == nullptr) return unknown("groups", "Do groups teach?", "a training step", "groups");
  const double mixed = 1 - last_mean(*equal, Limits::kWindow, Limits::kLeastPoints).mean;
  const std::string numbers = fmt::format(
      "{:.0f} % of completions are in groups with different rewards at the end", 100 * mixed);
  if (mixed >= Limits::kFewMixed)
    return {"groups", Mood::Good, "Groups are mixed: they teach", numbers, "groups"};
  const Series* accuracy = stage.find("accuracy");
  if (accuracy != nullptr &&
      last_mean(*accuracy, Limits::kWindow, Limits::kLeastPoints).mean >= Limits::kSolved)
    return {"groups", Mood::Neutral, "Groups are all right: nothing is left to learn here", numbers,
            "groups"};
  return {"groups", Mood::Watch, "Few groups teach anything", numbers, "groups"};
}

Statement gradient_statement(const StageRecord& stage) {
  const auto found = stage.series.find("grad_norm");
  if (found == stage.series.end() || (found->second.empty() && found->second.nulls == 0))
    return unknown("gradient", "Are gradients sound?", "an update", "gradient");
  const Series& norm = found->second;
  if (norm.nulls > 0)
    return {"gradient", Mood::Bad, "Gradients were no numbers",
            fmt::format("{} step{} without a finite norm", norm.nulls, norm.nulls == 1 ? "" : "s"),
            "gradient"};
  std::vector<double> sorted = norm.values;
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted[sorted.size() / 2];
  const std::string numbers =
      fmt::format("norm: median {:.3g}, largest {:.3g}", median, sorted.back());
  if (median > 0 && sorted.back() > Limits::kSpike * median)
    return {"gradient", Mood::Watch, "Gradients have spikes", numbers, "gradient"};
  return {"gradient", Mood::Good, "Gradients are sound", numbers, "gradient"};
}

Statement mismatch_statement(const StageRecord& stage) {
  const Series* gap = stage.find("sampling/sampling_logp_difference/mean");
  if (gap == nullptr)
    return unknown("mismatch", "Do rollout and training agree?",
                   "sampling/sampling_logp_difference/mean", "mismatch");
  const double largest = *std::max_element(gap->values.begin(), gap->values.end());
  if (largest == 0)
    return {"mismatch", Mood::Good, "Rollout and training agree to the bit",
            "sampling_logp_difference is 0 in every step", "mismatch"};
  const std::string numbers =
      fmt::format("mean |difference of log-probabilities| up to {:.2g} nats", largest);
  if (largest >= Limits::kBadMismatch)
    return {"mismatch", Mood::Bad, "Rollout and training disagree", numbers, "mismatch"};
  if (largest >= Limits::kMismatch)
    return {"mismatch", Mood::Watch, "Rollout and training differ", numbers, "mismatch"};
  return {"mismatch", Mood::Good, "Rollout and training agree", numbers, "mismatch"};
}

}  // namespace

std::vector<Statement> statements_of(const StageRecord& stage, Facts& facts) {
  std::vector<Statement> list;
  list.push_back(reward_statement(stage, facts));
  list.push_back(held_out_statement(stage, facts));
  list.push_back(length_statement(stage, facts));
  list.push_back(reflection_statement(stage, facts));
  list.push_back(use_statement(stage, facts));
  list.push_back(entropy_statement(stage, facts));
  list.push_back(truncation_statement(stage));
  list.push_back(groups_statement(stage));
  list.push_back(gradient_statement(stage));
  list.push_back(mismatch_statement(stage));
  return list;
}

}  // namespace aha
