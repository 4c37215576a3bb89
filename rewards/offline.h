#pragma once
#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/config/schema.h"

namespace aha {

struct OfflineOptions {
  RewardFunction reward;  ///< name and options; see parse_reward_spec
  std::map<std::string, std::string>
      fields;  ///< our name -> the input's, such as {"gold", "target"}
  std::string input_name = "standard input";  ///< for messages
  std::string
      label{};  ///< field with the right score (1, 0, true, false), for the agreement; or empty
  bool explain = false;                                  ///< write `explanation` as well
  std::size_t most_line_bytes = std::size_t{256} << 20;  ///< of one line
};

struct OfflineSummary {
  std::int64_t rows = 0;
  std::int64_t equal = 0;
  std::int64_t different = 0;
  std::int64_t unjudged = 0;

  std::int64_t bad = 0;  ///< rows that could not be scored, not among `rows`
  std::vector<std::string>
      bad_lines;        ///< "INPUT:LINE: what" of the first of them, made safe to print
  std::string stopped;  ///< "INPUT:LINE: what" ended the reading before the input's end; or empty

  /// Rows with a label, by outcome (equal, different, unjudged) and label (right: 1 or true; wrong).
  std::int64_t labelled[3][2] = {};
  /// The rows that took the most steps, most first: line and steps.
  std::vector<std::pair<std::int64_t, std::int64_t>> slowest;

  /// Counts a row that could not be scored; the first ones are named, in a few hundred bytes.
  void add_bad(std::string_view what);

  /// Labelled rows that came out as their label says, a number to 1e-9; what was not judged did not.
  std::int64_t agreeing = 0;
  std::int64_t with_label() const;

  std::string unused_label;  ///< field of labels that no row has; or empty

  /// What is wrong with the rows that could not be scored, a line each, how many there are, what ended the
  /// reading early, and that there are no labels. Empty: all was scored.
  std::string bad_text() const;

  /// Counts, agreement with its confusion table, and the slowest rows, as lines of text.
  std::string text() const;
};

/// Scores the rows of a JSONL text: `aha score`. Each row is written with its fields as they were
/// and
///
///   score      1, 0, a fraction; null when it cannot be judged
///   outcome    "equal" (score 1), "different", "unjudged"
///   extracted  what was taken from the text
///   reason     why, in a few words
///   steps      work that judging took, the same on every machine
///
/// and with `explain` the lines of `explanation`.
///
/// What is judged: `completion`, a whole text, or a chat message or a list of them, of which the assistant's
/// count (their `content` a text or a list of parts); else `prediction`, the answer alone; else, for countdown, `answer`, the answer alone; else
/// verl's `output`, a whole text. `gold` stands in for `answer` where a reward reads its gold there,
/// and so do `gts` and `ground_truth` where there is neither. `completion_ids` gives ids and length,
/// `completion_len` or `length` the length, `truncated` (bool) or a `finish` of "length" whether it
/// was cut off, `params` (object) options for this row, over those of `reward`. So rows written by
/// aha, TRL and verl are read as they are. Blank lines are skipped.
///
/// A row that is not a JSON object, has nothing to judge, or has ill-typed fields is not written; the summary names
/// it, and the rows behind it are scored all the same. Behind a line that is too long nothing is read.
///
/// Rows are judged in batches, over as many threads as there are cores, or as a reward that has others judge
/// asks for; they come out in their order.
/// UserError for a reward or a field that there is not.
OfflineSummary score_jsonl(std::istream& in, std::ostream& out, const OfflineOptions& options);

}  // namespace aha
