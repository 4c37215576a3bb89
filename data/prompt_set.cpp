#include "data/prompt_set.h"

#include <algorithm>

#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr std::size_t kErrorsShown = 5;

}  // namespace

PromptSet::PromptSet(std::unique_ptr<Dataset> dataset, PromptTemplate prompt_template,
                     const Tokenizer& tokenizer, PromptLimits limits)
    : dataset_(std::move(dataset)),
      template_(std::move(prompt_template)),
      tokenizer_(tokenizer),
      limits_(limits) {
  if (const auto rows = dataset_->size()) measure(*rows);
}

void PromptSet::measure(std::int64_t rows) {
  std::vector<std::string> errors;
  std::int64_t total = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto length = std::ssize(render(row).ids);
    if (length > limits_.max_prompt_length) {
      ++dropped_;
      if (errors.size() < kErrorsShown)
        errors.push_back(overlong(row, static_cast<std::size_t>(length)));
      continue;
    }
    kept_.push_back(row);
    longest_ = std::max(longest_, length);
    total += length;
  }
  if (dropped_ > 0 && !limits_.drop_overlong) {
    std::string text = errors[0];
    for (std::size_t i = 1; i < errors.size(); ++i)
      text += "\n" + errors[i];
    if (dropped_ > std::ssize(errors))
      text +=
          fmt::format("\n{}: {} over-long prompts in all", dataset_->name(), with_commas(dropped_));
    throw UserError(text);
  }
  if (kept_.empty())
    fail("{}: all {} prompts are longer than data.max_prompt_length = {}", dataset_->name(), rows,
         limits_.max_prompt_length);
  mean_length_ = static_cast<double>(total) / static_cast<double>(kept_.size());
  if (dropped_ == 0) kept_.clear();
}

std::string PromptSet::overlong(std::int64_t row, std::size_t length) const {
  return fmt::format(
      "{}: the prompt has {} tokens, data.max_prompt_length is {}; raise it or set "
      "data.overlong_prompts: drop",
      dataset_->where(row), length, limits_.max_prompt_length);
}

std::optional<std::int64_t> PromptSet::size() const {
  const auto rows = dataset_->size();
  if (!rows) return std::nullopt;
  return *rows - dropped_;
}

std::int64_t PromptSet::row_of(std::int64_t index) const {
  return kept_.empty() ? index : kept_.at(static_cast<std::size_t>(index));
}

Prompt PromptSet::prompt(std::int64_t index) const {
  auto prompt = render(row_of(index));
  if (std::ssize(prompt.ids) > limits_.max_prompt_length)
    throw UserError(overlong(prompt.row, prompt.ids.size()));
  return prompt;
}

Prompt PromptSet::render(std::int64_t row) const {
  Prompt prompt;
  prompt.row = row;
  prompt.fields = dataset_->row(row);
  const auto where = dataset_->where(row);
  prompt.text = template_.text(dataset_->ordered_row(row), where);
  prompt.prefill = template_.prefill(prompt.text);
  try {
    prompt.ids = template_.ids(tokenizer_, prompt.text);
  } catch (const UserError& error) {
    fail("{}: {}", where, error.what());
  }
  if (prompt.ids.empty()) fail("{}: the prompt is empty", where);
  prompt.source = dataset_->source_of(prompt.fields);
  return prompt;
}

}  // namespace aha
