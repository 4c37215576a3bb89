#pragma once
#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>

#include "trainer/config/schema.h"

namespace aha {

struct OfflineOptions {
  RewardFunction reward;  ///< name and options; see parse_reward_spec
  std::map<std::string, std::string>
      fields;  ///< our name -> the input's, such as {"gold", "target"}
  std::string input_name = "standard input";  ///< for messages
};

struct OfflineSummary {
  std::int64_t rows = 0;
  std::int64_t equal = 0;
  std::int64_t different = 0;
  std::int64_t unjudged = 0;
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
/// What is judged: `completion`, a whole text; else `prediction`, the answer alone; else, for
/// countdown, `answer`, the answer alone. `gold` stands in for `answer` where a reward reads its
/// gold there. `completion_ids` gives ids and length, `completion_len` the length, `truncated`
/// (bool) whether it was cut off, `params` (object) options for this row, over those of `reward`.
/// Blank lines are skipped.
///
/// UserError "INPUT:LINE: what" for a row that is not a JSON object, has nothing to judge, or has
/// ill-typed fields; rows before it have been written.
OfflineSummary score_jsonl(std::istream& in, std::ostream& out, const OfflineOptions& options);

}  // namespace aha
