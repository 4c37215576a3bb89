#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/prompt.h"
#include "data/tokenizer/tokenizer.h"
#include "trainer/core/types/prompt.h"

namespace aha {

struct PromptLimits {
  std::int64_t max_prompt_length = 512;  ///< tokens
  bool drop_overlong = false;            ///< false: an over-long prompt is an error
};

/// A dataset seen through a template and a tokenizer: prompts by number.
///
/// The prompts of a finite dataset are all made once at construction (lengths and counts are known
/// before the first step), and then again when asked for. Safe to use from several threads. The
/// tokenizer must outlive it.
///
/// Errors: a row that the template or the tokenizer cannot take, a prompt without tokens, an
/// over-long one unless they are dropped (the first five are named), no prompt left. An endless
/// dataset drops nothing: there an over-long prompt is an error when it is drawn.
class PromptSet {
 public:
  PromptSet(std::unique_ptr<Dataset> dataset, PromptTemplate prompt_template,
            const Tokenizer& tokenizer, PromptLimits limits);

  /// Prompts that can be used; nothing: endless.
  std::optional<std::int64_t> size() const;
  /// The index-th of them. `Prompt::row` is the row's number in the dataset.
  Prompt prompt(std::int64_t index) const;
  std::string where(std::int64_t index) const { return dataset_->where(row_of(index)); }

  std::int64_t dropped() const { return dropped_; }    ///< over-long prompts left out
  std::int64_t longest() const { return longest_; }    ///< tokens; 0 when endless
  double mean_length() const { return mean_length_; }  ///< tokens; 0 when endless
  const Dataset& dataset() const { return *dataset_; }
  const PromptTemplate& prompt_template() const { return template_; }

 private:
  std::int64_t row_of(std::int64_t index) const;
  Prompt render(std::int64_t row) const;
  std::string overlong(std::int64_t row, std::size_t length) const;
  void measure(std::int64_t rows);

  std::unique_ptr<Dataset> dataset_;
  PromptTemplate template_;
  const Tokenizer& tokenizer_;
  PromptLimits limits_;
  std::vector<std::int64_t> kept_;  ///< rows that fit; empty when none was dropped
  std::int64_t dropped_ = 0;
  std::int64_t longest_ = 0;
  double mean_length_ = 0.0;
};

}  // namespace aha
