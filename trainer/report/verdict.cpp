#include "trainer/report/verdict.h"

#include <fmt/format.h>

#include "trainer/report/statements.h"

namespace aha {
namespace {

using Limits = VerdictThresholds;

bool blind(const Facts& facts) {
  return facts.gap.known && facts.gap.before < Limits::kBlind && facts.gap.after < Limits::kBlind;
}

void put_headline(Verdict& verdict, const Facts& facts) {
  const auto say = [&](Mood mood, std::string text) {
    verdict.mood = mood;
    verdict.headline = std::move(text);
  };
  const int better = facts.judged ? facts.held_out : facts.reward;
  const std::string accuracy =
      facts.held_out_change.known
          ? fmt::format("held-out {} {:.2f} -> {:.2f}",
                        facts.held_out_change.of_reward() ? "reward" : "accuracy",
                        facts.held_out_change.before, facts.held_out_change.after)
          : "no held-out problems were asked";
  const std::string numbers =
      !facts.words_known
          ? accuracy + "; reflective words were not counted"
          : accuracy + fmt::format("; reflective words a completion {:.2f} -> {:.2f}",
                                   facts.words_before, facts.words_after);
  const bool sees = !facts.gap.known || facts.gap.after >= Limits::kKnowsMiss;
  if (better > 0 && facts.words > 0 && sees)
    return say(Mood::Good,
               fmt::format(
                   "It had its aha: it reflects more{}, and is right more often ({}).",
                   facts.gap.known ? ", goes on after a wrong try and stops after a right one" : "",
                   numbers));
  if (facts.words < 0 && blind(facts))
    return say(
        Mood::Bad,
        fmt::format("No aha: it went on after a right try as often as after a wrong one (gap "
                    "{:.2f}), so reflecting could not pay, and it died out ({}).",
                    facts.gap.after, numbers));
  if (better > 0 && facts.length > 0)
    return say(Mood::Good, fmt::format("It learnt to answer at greater length and is right more "
                                       "often{} ({}).",
                                       facts.words > 0 || !facts.words_known
                                           ? ""
                                           : ", without more words of reflection",
                                       numbers));
  if (better > 0)
    return say(Mood::Good,
               fmt::format("It got better{} ({}).",
                           facts.words > 0 || !facts.words_known ? "" : ", without more reflection",
                           numbers));
  if (better < 0) return say(Mood::Bad, fmt::format("It got worse ({}).", numbers));
  if (!facts.judged && facts.reward == 0 && verdict.statements.front().mood == Mood::Unknown)
    return say(Mood::Unknown, "Too early to say: there are not enough steps and evaluations yet.");
  say(Mood::Watch, fmt::format("Nothing was learnt for sure ({}).", numbers));
}

}  // namespace

const char* mood_name(Mood mood) {
  constexpr const char* kNames[] = {"good", "neutral", "watch", "bad", "unknown"};
  return kNames[static_cast<std::size_t>(mood)];
}

Verdict verdict_of(const RunRecord& run) {
  Verdict verdict;
  const StageRecord* stage = run.main_stage();
  if (stage == nullptr) {
    verdict.headline = "Nothing was recorded yet.";
    return verdict;
  }
  if (stage->find("reward") == nullptr && stage->find("eval_reward") == nullptr) {
    verdict.headline = "Supervised training so far: no stage with rewards has begun.";
    return verdict;
  }
  Facts facts;
  verdict.statements = statements_of(*stage, facts);
  put_headline(verdict, facts);
  return verdict;
}

std::vector<std::string> verdict_rules() {
  return {
      fmt::format("Training curves: mean of the first against the last {:.0f} % of the steps, at "
                  "least {} each. Held out: first evaluation against the last.",
                  100 * Limits::kWindow, Limits::kLeastPoints),
      fmt::format(
          "A rise or fall counts beyond {:.2f} standard errors (95 %). Where none was logged: "
          "of a held-out accuracy beyond {}; of a held-out reward, which may have any scale, "
          "beyond as many times the spread of the training reward from step to step.",
          Limits::kSure, Limits::kChance),
      fmt::format("Answers grew: {} times as long; became shorter: 1 / {}.", Limits::kLonger,
                  Limits::kLonger),
      fmt::format("Reflection grew: {} words a completion more and {} times as many; died out: the "
                  "reverse.",
                  Limits::kMoreWords, Limits::kWordsRatio),
      fmt::format(
          "Verification gap: share of misses after which it goes on less that of hits; from "
          "{} it knows a miss, below {} at both ends it cannot tell.",
          Limits::kKnowsMiss, Limits::kBlind),
      fmt::format("Entropy: below {:.0f} % of its beginning it is used up, below {:.0f} % it fell.",
                  100 * Limits::kCollapsed, 100 * Limits::kNarrow),
      fmt::format("Cut answers: {:.0f} % are some, {:.0f} % many.", 100 * Limits::kCut,
                  100 * Limits::kManyCut),
      fmt::format("Groups: mixed from {:.0f} % of completions; solved from accuracy {}.",
                  100 * Limits::kFewMixed, Limits::kSolved),
      fmt::format(
          "Gradient: a spike is {} times the median norm. Rollout against training: {} nats "
          "differ, {} disagree.",
          Limits::kSpike, Limits::kMismatch, Limits::kBadMismatch),
      ("Its aha: right more often on held-out problems, more reflection, and (where the task "
       "tells) it knows a miss."),
  };
}

}  // namespace aha
