#include "rewards/offline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <istream>
#include <memory>
#include <ostream>
#include <vector>

#include "rewards/registry.h"
#include "rewards/row_fields.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr std::size_t kMostCached = 256;
const std::array<std::string, 10> kFields =
    {  // NOLINT(bugprone-throwing-static-initialization,readability-identifier-naming)
        "gold",   "prediction",     "completion",     "nums",      "target",
        "answer", "completion_ids", "completion_len", "truncated", "params"};

enum class LineEnd { Newline, Input, TooLong };

/// Reads one line of bounded size; nothing at the end of the input.
std::optional<LineEnd> read_line(std::istream& in, std::string& line, std::size_t most) {
  using Traits = std::istream::traits_type;
  line.clear();
  auto* buffer = in.rdbuf();
  for (auto c = buffer->sbumpc();; c = buffer->sbumpc()) {
    if (Traits::eq_int_type(c, Traits::eof()))
      return line.empty() ? std::nullopt : std::optional(LineEnd::Input);
    if (Traits::to_char_type(c) == '\n') return LineEnd::Newline;
    if (line.size() == most) return LineEnd::TooLong;
    line.push_back(Traits::to_char_type(c));
  }
}

/// What there is to judge in a row.
struct Input {
  std::string text;
  bool bare = false;
  std::vector<TokenId> ids;
  std::int64_t length = -1;
};

class RowScorer {
 public:
  explicit RowScorer(const OfflineOptions& options)
      : options_(options), info_(reward_info(options.reward.name)), reward_(made({})) {
    reward_->reach();
    for (const auto& [ours, theirs] : options.fields) {
      if (std::find(kFields.begin(), kFields.end(), ours) == kFields.end()) {
        const auto near = nearest(ours, kFields);
        fail("field '{}' is not one that scoring reads, {}", ours,
             near.empty() ? "known are " + join_list(kFields)
                          : fmt::format("the nearest is '{}'", near));
      }
    }
  }

  RewardPart score(const Json& written) {
    auto row = renamed(written);
    const auto input = input_of(row);
    // After the text was taken: for countdown a bare `answer` is the attempt itself.
    for (const char* name : {"gold", "gts", "ground_truth"}) {
      const auto gold = row.find(name);
      if (gold == row.end() || (name != std::string_view("gold") && row.contains("answer")))
        continue;
      row["answer"] = *gold;
      break;
    }
    const auto prompt = text_field(row, "prompt").value_or("");
    const Attempt attempt{
        .prompt = prompt,
        .completion = input.text,
        .row = row,
        .ids = input.ids,
        .length = input.length,
        .truncated = flag(row, "truncated") || text_field(row, "finish") == "length",
        .bare = input.bare};
    const auto& reward = reward_for(row);
    if (options_.explain) explanation_ = reward.explanation(attempt);
    return reward.score(attempt);
  }

  /// Of the row scored last.
  const std::vector<std::string>& explanation() const { return explanation_; }

 private:
  std::unique_ptr<Reward> made(const std::map<std::string, std::string>& params) const {
    auto all = params;
    all.insert(options_.reward.options.begin(), options_.reward.options.end());
    return make_reward(options_.reward.name, all);
  }

  Json renamed(const Json& written) const {
    auto row = written;
    for (const auto& [ours, theirs] : options_.fields) {
      const auto found = written.find(theirs);
      if (found == written.end()) fail("no field '{}' (to be read as '{}')", theirs, ours);
      row[ours] = *found;
    }
    return row;
  }

  Input input_of(const Json& row) const {
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
      const bool whole =
          name == std::string_view("completion") || name == std::string_view("output");
      auto text = text_field(row, name);
      if (!text && whole) text = assistant_text(row[name]);
      if (!text) fail("'{}' is neither a text nor a number{}", name, whole ? " nor messages" : "");
      input.text = std::move(*text);
      input.bare = !whole;
      return input;
    }
    if (input.length < 0)
      fail(
          "neither 'completion' nor 'prediction' (--field completion=NAME if it has another name)");
    return input;
  }

  /// What the assistant's messages of a chat say, one after the other.
  static std::optional<std::string> assistant_text(const Json& messages) {
    if (!messages.is_array() || messages.empty()) return std::nullopt;
    std::string text;
    for (const auto& message : messages) {
      const auto role = text_field(message, "role");
      const auto content = text_field(message, "content");
      if (!role || !content) return std::nullopt;
      if (*role == "assistant") text += *content;
    }
    return text;
  }

  static bool flag(const Json& row, const char* name) {
    const auto found = row.find(name);
    if (found == row.end()) return false;
    if (!found->is_boolean()) fail("'{}' is neither true nor false", name);
    return found->get<bool>();
  }

  const Reward& reward_for(const Json& row) {
    const auto params = row.find("params");
    if (params == row.end() || params->is_null()) return *reward_;
    if (!params->is_object()) fail("'params' is not an object");
    auto key = dump_line(*params);
    if (const auto cached = cached_.find(key); cached != cached_.end()) return *cached->second;
    std::map<std::string, std::string> values;
    for (const auto& [name, value] : params->items()) {
      if (!info_.takes_from_row(name))
        fail("'params' sets '{}', which a row may not: give it with --reward", name);
      values[name] = value.is_string() ? value.get<std::string>() : dump_line(value);
    }
    if (cached_.size() >= kMostCached) cached_.clear();
    return *(cached_[std::move(key)] = made(values));
  }

  const OfflineOptions& options_;
  const RewardInfo& info_;
  std::unique_ptr<Reward> reward_;
  std::map<std::string, std::unique_ptr<Reward>> cached_;  ///< by `params`
  std::vector<std::string> explanation_;
};

void append_verdict(OrderedJson& row, const RewardPart& part, OfflineSummary& summary) {
  const char* outcome = "unjudged";
  row["score"] = nullptr;
  if (!part.score) {
    ++summary.unjudged;
  } else {
    const double score = *part.score;
    if (score == std::floor(score) && std::abs(score) < 1e9)
      row["score"] = static_cast<std::int64_t>(score);
    else
      row["score"] = score;
    outcome = score == 1.0 ? "equal" : "different";
    ++(score == 1.0 ? summary.equal : summary.different);
  }
  row["outcome"] = outcome;
  row["extracted"] = part.extracted;
  row["reason"] = part.reason;
  row["steps"] = part.steps;
}

void count_label(const Json& row, const std::string& field, const RewardPart& part,
                 OfflineSummary& summary) {
  const auto found = row.find(field);
  if (found == row.end() || found->is_null()) return;
  if (!found->is_boolean() && !found->is_number())
    fail("label '{}' is neither a number nor true or false", field);
  const bool right = found->is_boolean() ? found->get<bool>() : found->get<double>() == 1.0;
  const std::size_t outcome = !part.score ? 2 : *part.score == 1.0 ? 0 : 1;
  ++summary.labelled[outcome][right ? 0 : 1];
}

void keep_slowest(OfflineSummary& summary, std::int64_t line, std::int64_t steps) {
  constexpr std::size_t kShown = 3;
  auto& rows = summary.slowest;
  const auto place =
      std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.second < steps; });
  if (place != rows.end() || rows.size() < kShown) rows.insert(place, {line, steps});
  if (rows.size() > kShown) rows.pop_back();
}

/// The row of a line, judged; nothing, and its line named, when it cannot be.
std::optional<RewardPart> judged(RowScorer& scorer, const std::string& line,
                                 const std::string& where, const std::string& label,
                                 OfflineSummary& summary) {
  Json row;
  try {
    row = parse_json(line, where);
  } catch (const UserError& error) {
    summary.add_bad(error.what());
    return std::nullopt;
  }
  try {
    if (!row.is_object()) fail("expected a JSON object");
    const RewardPart part = scorer.score(row);
    if (!label.empty()) count_label(row, label, part, summary);
    return part;
  } catch (const UserError& error) {
    summary.add_bad(fmt::format("{}: {}", where, error.what()));
    return std::nullopt;
  }
}

}  // namespace

OfflineSummary score_jsonl(std::istream& in, std::ostream& out, const OfflineOptions& options) {
  RowScorer scorer(options);
  OfflineSummary summary;
  std::string line;
  std::int64_t number = 0;
  while (const auto end = read_line(in, line, options.most_line_bytes)) {
    const auto where = fmt::format("{}:{}", options.input_name, ++number);
    if (*end == LineEnd::TooLong) {
      summary.stopped = fmt::format("{}: longer than {} bytes; nothing behind it was read", where,
                                    options.most_line_bytes);
      break;
    }
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (trimmed(line).empty()) continue;
    const auto part = judged(scorer, line, where, options.label, summary);
    if (!part) continue;
    // Parsed once more so that fields come out in the order in which they stood.
    auto written = OrderedJson::parse(line);
    append_verdict(written, *part, summary);
    if (options.explain) written["explanation"] = scorer.explanation();
    keep_slowest(summary, number, part->steps);
    ++summary.rows;
    out << dump_line(written) << '\n';
  }
  return summary;
}

}  // namespace aha
