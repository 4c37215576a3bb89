#include "trainer/metrics/completion_rows.h"

#include <cmath>

#include "trainer/core/error.h"

namespace aha {
namespace {

const char* finish_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::Stop:
      return "stop";
    case FinishReason::String:
      return "string";
    case FinishReason::Length:
      break;
  }
  return "length";
}

OrderedJson number_or_null(std::optional<double> value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

/// Four decimals: all that a reader of a text can use, in a third of the bytes.
OrderedJson rounded(std::span<const float> values) {
  auto list = OrderedJson::array();
  for (const float value : values)
    list.push_back(std::round(static_cast<double>(value) * 1e4) / 1e4);
  return list;
}

void put_score(OrderedJson& row, const Score& score, std::span<const std::string> names) {
  check(score.parts.size() == names.size(), "a score has one part for each reward");
  auto rewards = OrderedJson::object();
  auto extracted = OrderedJson::object();
  for (std::size_t f = 0; f < names.size(); ++f) {
    rewards[names[f]] = number_or_null(score.parts[f].score);
    if (!score.parts[f].extracted.empty()) extracted[names[f]] = score.parts[f].extracted;
  }
  row["rewards"] = std::move(rewards);
  row["reward"] = number_or_null(score.total);
  row["accuracy"] = number_or_null(score.accuracy);
  if (!extracted.empty()) row["extracted"] = std::move(extracted);
}

}  // namespace

OrderedJson completion_row(const CompletionRowInputs& inputs, const Group& group, std::size_t index,
                           std::optional<double> advantage) {
  const auto& completion = group.completions.at(index);
  OrderedJson row;
  row["step"] = inputs.step;
  row["global_step"] = inputs.global_step;
  row["stage"] = inputs.stage;
  row["ordinal"] = group.ordinal;
  row["row"] = group.prompt.row;
  row["source"] = group.prompt.source;
  row["index"] = completion.index;
  row["prompt"] = group.prompt.text;
  row["completion"] = completion.text;
  row["length"] = completion.length();
  row["finish"] = finish_name(completion.finish);
  if (!group.scores.empty()) put_score(row, group.scores.at(index), inputs.reward_names);
  if (advantage) row["advantage"] = *advantage;
  if (inputs.ids) {
    row["prompt_ids"] = group.prompt.ids;
    row["completion_ids"] = completion.ids;
  }
  if (inputs.logprobs) {
    row["logprobs"] = rounded(completion.logprobs);
    row["entropies"] = rounded(completion.entropies);
  }
  return row;
}

}  // namespace aha
