#include "rewards/offline_row.h"

#include <algorithm>
#include <array>

#include "rewards/proportion.h"
#include "rewards/row_fields.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr std::size_t kMostCached = 256;
const std::array<std::string, 10> kFields =
    {  // NOLINT(bugprone-throwing-static-initialization,readability-identifier-naming)
        "gold",   "prediction",     "completion",     "nums",      "target",
        "answer", "completion_ids", "completion_len", "truncated", "params"};

/// What a message says: a text, or the texts of a list of parts; nothing beside calls of tools.
std::optional<std::string> content_of(const Json& message) {
  const auto content = message.find("content");
  if (content == message.end()) return std::nullopt;
  if (content->is_null()) return "";
  if (!content->is_array()) return text_field(message, "content");
  std::string text;
  for (const auto& part : *content) {
    if (!part.is_object()) return std::nullopt;
    text += text_field(part, "text").value_or("");  // a picture has none
  }
  return text;
}

/// What the messages of a chat, or one message, say, one after the other: those of one role, or of all, then with
/// a line between them.
std::optional<std::string> chat_text(const Json& messages, std::optional<std::string_view> of) {
  if (messages.is_object()) return chat_text(Json::array({messages}), of);
  if (!messages.is_array() || messages.empty()) return std::nullopt;
  std::string text;
  for (const auto& message : messages) {
    const auto role = text_field(message, "role");
    if (!role) return std::nullopt;
    const auto content = content_of(message);
    if (!content) return std::nullopt;
    if (!of && !text.empty()) text += '\n';
    if (!of || *role == *of) text += *content;
  }
  return text;
}

bool flag(const Json& row, const char* name) {
  const auto found = row.find(name);
  if (found == row.end()) return false;
  if (!found->is_boolean()) fail("'{}' is neither true nor false", name);
  return found->get<bool>();
}

/// What the model was given: a text, or what the messages of a chat say; verl calls it `input`. A "<think>" at its
/// end that begins the completion, too, is the completion's alone, as in a run.
std::string prompt_of(const Json& row, std::string_view completion) {
  std::string prompt;
  for (const char* name : {"prompt", "input"}) {
    if (!row.contains(name)) continue;
    auto text = text_field(row, name);
    if (!text) text = chat_text(row[name], {});
    if (!text) continue;
    prompt = *std::move(text);
    break;
  }
  const auto prefill = prompt.rfind("<think>");
  if (prefill != std::string::npos &&
      completion.starts_with(std::string_view(prompt).substr(prefill)))
    prompt.resize(prefill);
  return prompt;
}

/// `fields` of a row that aha wrote (trainer/metrics/completion_rows.h).
const Json* own_fields(const Json& row) {
  const auto fields = row.find("fields");
  return fields != row.end() && fields->is_object() && row.contains("finish") ? &*fields : nullptr;
}

/// For the rewards that read their gold in `answer`.
void put_gold(Json& row) {
  for (const char* name : {"gold", "gts", "ground_truth"}) {
    const auto gold = row.find(name);
    if (gold == row.end() || (name != std::string_view("gold") && row.contains("answer"))) continue;
    row["answer"] = *gold;
    return;
  }
}

}  // namespace

/// What there is to judge in a row.
struct RowScorer::Input {
  std::string text;
  bool bare = false;
  std::vector<TokenId> ids;
  std::int64_t length = -1;
};

RowScorer::RowScorer(const OfflineOptions& options)
    : options_(options), info_(reward_info(options.reward.name)), reward_(made({})) {
  reward_->reach();
  for (const auto& [ours, theirs] : options.fields) {
    if (std::find(kFields.begin(), kFields.end(), ours) != kFields.end()) continue;
    const auto near = nearest(ours, kFields);
    fail("field '{}' is not one that scoring reads, {}", ours,
         near.empty() ? "known are " + join_list(kFields)
                      : fmt::format("the nearest is '{}'", near));
  }
}

RowVerdict RowScorer::score(const Json& written, const std::string& id) {
  const auto row = renamed(written);
  const auto input = input_of(row);
  const auto fields = fields_of(row);
  const auto prompt = prompt_of(row, input.text);
  const Attempt attempt{
      .prompt = prompt,
      .completion = input.text,
      .row = fields,
      .ids = input.ids,
      .length = input.length,
      .truncated = flag(row, "truncated") || text_field(row, "finish") == "length",
      .bare = input.bare,
      .id = id};
  const auto reward = reward_for(row);
  RowVerdict verdict;
  if (options_.explain) verdict.explanation = reward->explanation(attempt);
  verdict.part = in_proportion(reward->score(attempt));
  return verdict;
}

std::shared_ptr<const Reward> RowScorer::made(
    const std::map<std::string, std::string>& params) const {
  auto all = params;
  all.insert(options_.reward.options.begin(), options_.reward.options.end());
  return make_reward(options_.reward.name, all);
}

Json RowScorer::renamed(const Json& written) const {
  auto row = written;
  for (const auto& [ours, theirs] : options_.fields) {
    if (const auto found = written.find(theirs); found != written.end()) {
      row[ours] = *found;
    } else if (const auto* fields = own_fields(written); fields && fields->contains(theirs)) {
      row[ours] = (*fields)[theirs];
    } else {
      fail("no field '{}' (to be read as '{}')", theirs, ours);
    }
  }
  return row;
}

/// What the rewards read: the row, or of one that aha wrote the fields that it had then.
Json RowScorer::fields_of(const Json& row) const {
  const auto* own = own_fields(row);
  auto fields = own ? *own : row;
  for (const auto& [ours, theirs] : options_.fields)
    fields[ours] = row[ours];
  const bool as_it_was = own && fields.contains("answer") && !options_.fields.contains("gold");
  if (!as_it_was) put_gold(fields);
  return fields;
}

RowScorer::Input RowScorer::input_of(const Json& row) const {
  Input input;
  if (const auto ids = row.find("completion_ids"); ids != row.end()) {
    const auto list = whole_list_field(row, "completion_ids");
    if (!list) fail("'completion_ids' is not a list of whole numbers");
    input.ids = *list;
    input.length = std::ssize(*list);
  }
  if (row.contains("completion_len")) {
    const auto length = whole_field(row, "completion_len");
    if (!length || *length < 0) fail("'completion_len' is not a whole number of at least 0");
    input.length = *length;
  } else if (const auto length = whole_field(row, "length"); length && input.length < 0) {
    input.length = std::max<std::int64_t>(*length, -1);
  }
  for (const char* name : {"completion", "prediction", info_.attempt_field, "output"}) {
    if (name == nullptr || !row.contains(name)) continue;
    const bool whole = name == std::string_view("completion") || name == std::string_view("output");
    auto text = text_field(row, name);
    if (!text && whole) text = chat_text(row[name], "assistant");
    if (!text) fail("'{}' is neither a text nor a number{}", name, whole ? " nor messages" : "");
    input.text = std::move(*text);
    input.bare = !whole;
    return input;
  }
  if (input.length < 0)
    fail("neither 'completion' nor 'prediction' (--field completion=NAME if it has another name)");
  return input;
}

std::shared_ptr<const Reward> RowScorer::reward_for(const Json& row) {
  const auto params = row.find("params");
  if (params == row.end() || params->is_null()) return reward_;
  if (!params->is_object()) fail("'params' is not an object");
  if (params->empty()) return reward_;
  auto key = dump_line(*params);
  const std::lock_guard lock(mutex_);
  if (const auto cached = cached_.find(key); cached != cached_.end()) return cached->second;
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : params->items()) {
    if (!info_.takes_from_row(name))
      fail("'params' sets '{}', which a row may not: give it with --reward", name);
    values[name] = value.is_string() ? value.get<std::string>() : dump_line(value);
  }
  if (cached_.size() >= kMostCached) cached_.clear();
  return cached_[std::move(key)] = made(values);
}

}  // namespace aha
