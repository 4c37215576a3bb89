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

/// The row that the rewards judged by, for `aha score`. What is too large, such as a megabyte of tests, is named
/// alone: it would be here once for each completion.
void put_fields(OrderedJson& row, const Json& fields) {
  constexpr std::size_t kMostBytes = std::size_t{64} << 10;
  if (!fields.is_object() || fields.empty()) return;
  auto kept = OrderedJson::object();
  auto left_out = OrderedJson::array();
  std::size_t bytes = 0;
  for (const auto& [name, value] : fields.items()) {
    const auto size = name.size() + dump_line(value).size();
    if (bytes + size > kMostBytes) {
      left_out.push_back(name);
      continue;
    }
    bytes += size;
    kept[name] = OrderedJson(value);
  }
  row["fields"] = std::move(kept);
  if (!left_out.empty()) row["fields_left_out"] = std::move(left_out);
}

void put_score(OrderedJson& row, const Score& score, std::span<const std::string> names) {
  check(score.parts.size() == names.size(), "a score has one part for each reward");
  auto rewards = OrderedJson::object();
  auto extracted = OrderedJson::object();
  auto reasons = OrderedJson::object();
  for (std::size_t f = 0; f < names.size(); ++f) {
    rewards[names[f]] = number_or_null(score.parts[f].score);
    if (!score.parts[f].extracted.empty()) extracted[names[f]] = score.parts[f].extracted;
    if (!score.parts[f].reason.empty()) reasons[names[f]] = score.parts[f].reason;
  }
  row["rewards"] = std::move(rewards);
  row["reward"] = number_or_null(score.total);
  row["accuracy"] = number_or_null(score.accuracy);
  if (!extracted.empty()) row["extracted"] = std::move(extracted);
  if (!reasons.empty()) row["reasons"] = std::move(reasons);
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
  put_fields(row, group.prompt.fields);
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
