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

constexpr std::size_t kMostLineBytes = std::size_t{256} << 20;
constexpr std::size_t kMostCached = 256;
const std::array<std::string, 10> kFields =
    {  // NOLINT(bugprone-throwing-static-initialization,readability-identifier-naming)
        "gold",   "prediction",     "completion",     "nums",      "target",
        "answer", "completion_ids", "completion_len", "truncated", "params"};

enum class LineEnd { Newline, Input, TooLong };

/// Reads one line of bounded size; nothing at the end of the input.
std::optional<LineEnd> read_line(std::istream& in, std::string& line) {
  using Traits = std::istream::traits_type;
  line.clear();
  auto* buffer = in.rdbuf();
  for (auto c = buffer->sbumpc();; c = buffer->sbumpc()) {
    if (Traits::eq_int_type(c, Traits::eof()))
      return line.empty() ? std::nullopt : std::optional(LineEnd::Input);
    if (Traits::to_char_type(c) == '\n') return LineEnd::Newline;
    if (line.size() == kMostLineBytes) return LineEnd::TooLong;
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
    if (const auto gold = row.find("gold"); gold != row.end()) row["answer"] = *gold;
    const Attempt attempt{.completion = input.text,
                          .row = row,
                          .ids = input.ids,
                          .length = input.length,
                          .truncated = flag(row, "truncated"),
                          .bare = input.bare};
    return reward_for(row).score(attempt);
  }

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
    }
    for (const char* name : {"completion", "prediction", info_.attempt_field}) {
      if (name == nullptr || !row.contains(name)) continue;
      const auto text = text_field(row, name);
      if (!text) fail("'{}' is neither a text nor a number", name);
      input.text = *text;
      input.bare = name != std::string_view("completion");
      return input;
    }
    if (input.length < 0)
      fail(
          "neither 'completion' nor 'prediction' (--field completion=NAME if it has another name)");
    return input;
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
    for (const auto& [name, value] : params->items())
      values[name] = value.is_string() ? value.get<std::string>() : dump_line(value);
    if (cached_.size() >= kMostCached) cached_.clear();
    return *(cached_[std::move(key)] = made(values));
  }

  const OfflineOptions& options_;
  const RewardInfo& info_;
  std::unique_ptr<Reward> reward_;
  std::map<std::string, std::unique_ptr<Reward>> cached_;  ///< by `params`
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

}  // namespace

OfflineSummary score_jsonl(std::istream& in, std::ostream& out, const OfflineOptions& options) {
  RowScorer scorer(options);
  OfflineSummary summary;
  std::string line;
  std::int64_t number = 0;
  while (const auto end = read_line(in, line)) {
    const auto where = fmt::format("{}:{}", options.input_name, ++number);
    if (*end == LineEnd::TooLong) fail("{}: longer than {} bytes", where, kMostLineBytes);
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (trimmed(line).empty()) continue;
    const auto row = parse_json(line, where);
    if (!row.is_object()) fail("{}: expected a JSON object", where);
    RewardPart part;
    try {
      part = scorer.score(row);
    } catch (const UserError& error) {
      fail("{}: {}", where, error.what());
    }
    // Parsed once more so that fields come out in the order in which they stood.
    auto written = OrderedJson::parse(line);
    append_verdict(written, part, summary);
    ++summary.rows;
    out << dump_line(written) << '\n';
  }
  return summary;
}

}  // namespace aha
