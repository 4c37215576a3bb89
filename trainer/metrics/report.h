#pragma once
#include <span>
#include <string>
#include <vector>

#include "trainer/core/json.h"

namespace aha {

/// What a run's closing report is made of.
struct ReportInputs {
  std::vector<std::string>
      plan;                   ///< lines of the plan, as the run printed them before its first step
  std::vector<Json> metrics;  ///< rows of metrics.jsonl (read_jsonl)
  std::string stage;          ///< the stage to report; empty: the last one that was evaluated
  std::vector<Json> before;   ///< rows of the completions of the evaluation at step 0 ...
  std::vector<Json> after;    ///< ... and of the last one (completion_rows.h)
  std::string checkpoint;     ///< paths as the user should see them; empty ones are left out
  std::string metrics_file;
  std::string completions;
  std::vector<std::string> next_commands;
  std::vector<std::string> notes;  ///< what could not be read
  std::size_t width = 100;         ///< columns; longer completions are wrapped
};

/// The report as text: the plan; the stages and how far each came; a table of held-out accuracy, mean length, `wait`s per completion,
/// verification gap and truncated share at the stage's first and last evaluation; the completions
/// of the first three held-out problems that both evaluations have (the first sample of each, not
/// picked); where things are; what to try next; the notes. A run with one evaluation so far has one
/// column and no "after".
///
/// The table reads eval_accuracy (with its 95 % interval where eval_accuracy_stderr is there),
/// eval_completions/mean_length, eval_waits (else eval_reflection/wait), eval_verification_gap and
/// eval_completions/clipped_ratio; a value that the run has not is "-". Control characters of
/// completions are shown, not sent to the terminal. Never throws on odd rows: what is not
/// understood is left out.
std::string run_report(const ReportInputs& inputs);

}  // namespace aha
