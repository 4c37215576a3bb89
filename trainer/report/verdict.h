#pragma once
#include <string>
#include <vector>

#include "trainer/report/record.h"

namespace aha {

/// What the rules of the verdict hold against. A change counts when it is more than kSure standard
/// errors; windows are the first and the last kWindow of a training curve, kLeastPoints values at
/// least.
struct VerdictThresholds {
  static constexpr double kSure = 1.96;   ///< 95 % of a normal distribution
  static constexpr double kWindow = 0.1;  ///< share of a curve that is its beginning, its end
  static constexpr std::size_t kLeastPoints = 5;  ///< values in a window
  static constexpr double kChance = 0.02;         ///< change of an accuracy without standard error
  static constexpr double kLonger = 1.1;       ///< ratio of lengths that is growth; 1 / it: decline
  static constexpr double kMoreWords = 0.1;    ///< reflective words a completion: a change
  static constexpr double kWordsRatio = 1.25;  ///< and this ratio: growth; 1 / it: decline
  static constexpr double kKnowsMiss = 0.3;    ///< verification gap from which misses are known
  static constexpr double kBlind = 0.1;        ///< gap below which they are not
  static constexpr double kCollapsed = 0.1;    ///< entropy, as a share of its beginning
  static constexpr double kNarrow = 0.5;       ///< the same: it fell
  static constexpr double kCut = 0.05;         ///< share of truncated answers: watch
  static constexpr double kManyCut = 0.25;     ///< the same: bad
  static constexpr double kFewMixed = 0.2;     ///< share of completions in mixed groups: watch
  static constexpr double kSolved = 0.95;      ///< accuracy at which equal groups are success
  static constexpr double kSpike = 10.0;       ///< largest gradient norm by the median: watch
  static constexpr double kMismatch = 0.01;    ///< mean |log-probability difference|: watch
  static constexpr double kBadMismatch = 0.05;  ///< the same: bad
};

/// How a statement is to be taken.
enum class Mood : std::uint8_t {
  Good,     ///< what one hopes for
  Neutral,  ///< neither
  Watch,    ///< may explain a failure
  Bad,      ///< a failure, or its cause
  Unknown,  ///< not enough data
};

const char* mood_name(Mood mood);  ///< "good", "neutral", "watch", "bad", "unknown"

struct Statement {
  std::string id;  ///< "reward", "held_out", "length", ...
  Mood mood = Mood::Unknown;
  std::string claim;    ///< a few words: "Held-out accuracy rose"
  std::string because;  ///< the numbers, and what they mean
  std::string chart;    ///< id of the chart that shows it
};

/// The verdict on one run.
struct Verdict {
  std::string headline;  ///< "It had its aha: ..." in one or two sentences
  Mood mood = Mood::Unknown;
  std::vector<Statement> statements;
};

/// Judges the main stage by its numbers alone. Every question gets a statement, if only "not enough
/// data". An SFT stage or an empty one has a headline that says so and no statements.
Verdict verdict_of(const RunRecord& run);

/// The rules with their thresholds, as sentences for the reader.
std::vector<std::string> verdict_rules();

}  // namespace aha
