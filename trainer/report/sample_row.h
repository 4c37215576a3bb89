#pragma once
#include <string>
#include <tuple>

#include "trainer/report/sample_index.h"
#include "trainer/report/samples.h"

namespace aha {

/// A completion that the page may have: an entry, and the index that has its text.
struct Candidate {
  const SampleEntry* entry = nullptr;
  const SampleIndex* index = nullptr;

  /// For the reader: stage, step, training before held-out, problem, sample.
  auto place(const RunRecord& run) const {
    std::size_t stage = 0;
    while (stage < run.stages.size() && run.stages[stage].name != entry->stage)
      ++stage;
    return std::tuple(stage, entry->step, entry->held_out, entry->unit, entry->index);
  }
};

/// A row as the page has it, before its prompt has a place.
struct SampleRow {
  OrderedJson json;
  std::string prompt;
};

/// Makes rows (README.md, "Samples") of completions, each within SampleLimits::one_text.
class RowMaker {
 public:
  RowMaker(const SampleLimits& limits, const TokenTexts& tokens, const ReflectionWords& words)
      : limits_(limits), tokens_(tokens), words_(words) {}

  SampleRow make(const Candidate& candidate) const;

 private:
  std::string prompt_of(const Json& row) const;
  void put_tokens(const Json& row, OrderedJson& out) const;

  const SampleLimits& limits_;
  const TokenTexts& tokens_;
  const ReflectionWords& words_;
};

}  // namespace aha
