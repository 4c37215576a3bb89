#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trainer/core/json.h"
#include "trainer/core/types/prompt.h"
#include "trainer/report/record.h"

namespace aha {

/// The text of each of a completion's tokens, in order.
using TokenTexts = std::function<std::vector<std::string>(std::span<const TokenId>)>;

/// How much of a run's completions a page holds.
struct SampleLimits {
  std::size_t most = 20000;           ///< completions
  std::size_t text_bytes = 16 << 20;  ///< of all rows and prompts, as JSON
  std::size_t one_text =
      64 << 10;  ///< of one text in a row: the middle of a longer one is left out
  std::size_t whole_bytes = 32 << 20;  ///< of completions that are longer, beside the rows
};

/// A run's completions as the page shows them.
struct SampleSet {
  OrderedJson rows = OrderedJson::array();     ///< see README.md, "Samples"
  OrderedJson prompts = OrderedJson::array();  ///< texts that rows point into
  std::vector<std::string> wholes;       ///< packed JSON strings; rows' `whole` points into it
  std::size_t whole_bytes = 0;           ///< of them, unpacked
  std::size_t recorded = 0;              ///< rows of completions/*.jsonl
  std::optional<std::size_t> first_aha;  ///< index into `rows`
  std::optional<std::size_t> learnt_aha;
  std::vector<std::string> notes;
};

/// Reads completions/{train,eval}.jsonl of a run's main stage and the stages before it. When there
/// are more than the limits allow, a sample is taken from every stratum (file, part of the run,
/// right or wrong, reflective or not, truncated or not) in turn, problems in the same order in each,
/// so that a held-out problem is seen again at later steps.
///
/// `first_aha` is the run's first completion that is right and has a word of reflection before the
/// last place of the answer that was read from it; `learnt_aha` the first such to a held-out problem that was answered wrong before the main stage began
/// to train. Both are always among the rows, with the wrong answer to the latter.
///
/// `tokens` may be empty: then rows that have ids say in `no_tokens` why they are not shown.
SampleSet read_samples(const RunRecord& run, const SampleLimits& limits, const TokenTexts& tokens);

}  // namespace aha
