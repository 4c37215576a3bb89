#pragma once
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "trainer/report/verdict.h"

namespace aha {

/// A quantity at the beginning and the end of a stage.
struct Change {
  bool known = false;
  double before = 0;
  double after = 0;
  std::optional<double> error;  ///< standard error of the difference, where it is known
  std::string measure;

  double difference() const { return after - before; }
  bool of_reward() const { return measure == "eval_reward"; }
  bool beyond(double margin) const { return known && std::abs(difference()) > margin; }
};

/// What the headline is made of.
struct Facts {
  int reward = 0;       ///< direction
  int held_out = 0;     ///< direction
  bool judged = false;  ///< held_out_change is known, and what of it may be chance
  int length = 0;
  int words = 0;  ///< direction of reflective words a completion
  bool words_known = false;
  double words_before = 0;
  double words_after = 0;
  Change held_out_change;  ///< of accuracy, else of the reward
  Change gap;
};

/// A statement on each question, in the order of the page, by VerdictThresholds; `facts` gets what
/// the headline needs of them.
std::vector<Statement> statements_of(const StageRecord& stage, Facts& facts);

}  // namespace aha
