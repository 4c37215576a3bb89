#include "rewards/offline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <istream>
#include <ostream>
#include <vector>

#include "rewards/offline_row.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"
#include "trainer/core/json_text.h"
#include "trainer/core/parallel.h"

namespace aha {
namespace {

constexpr std::size_t kRowsAThread = 16;                    // of a batch
constexpr std::size_t kBatchBytes = std::size_t{16} << 20;  // after which it takes no more rows

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

constexpr std::array<std::string_view, 6> kVerdict = {"score",  "outcome", "extracted",
                                                      "reason", "steps",   "explanation"};

/// The fields that are added to a row.
OrderedJson verdict_of(const RewardPart& part, OfflineSummary& summary) {
  OrderedJson row;
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
  return row;
}

/// The score that a row ought to have: a number, or whether it is right.
struct Label {
  bool right = false;
  std::optional<double> score;

  bool agrees(double with) const {
    constexpr double kRounding = 1e-9;
    return score ? std::abs(with - *score) <= kRounding : right == (with == 1.0);
  }
};

/// Nothing for a row without one.
std::optional<Label> label_of(const Json& row, const std::string& field) {
  const auto found = row.find(field);
  if (field.empty() || found == row.end() || found->is_null()) return std::nullopt;
  if (!found->is_boolean() && !found->is_number())
    fail("label '{}' is neither a number nor true or false", field);
  if (found->is_boolean()) return Label{found->get<bool>(), std::nullopt};
  const auto score = found->get<double>();
  return Label{score == 1.0, score};
}

void keep_slowest(OfflineSummary& summary, std::int64_t line, std::int64_t steps) {
  constexpr std::size_t kShown = 3;
  auto& rows = summary.slowest;
  const auto place =
      std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.second < steps; });
  if (place != rows.end() || rows.size() < kShown) rows.insert(place, {line, steps});
  if (rows.size() > kShown) rows.pop_back();
}

/// A line of the input and what became of it.
struct Line {
  std::int64_t number;
  std::string text;
  RowVerdict verdict;
  std::optional<Label> label;
  std::string problem;  ///< "INPUT:LINE: what": there is no verdict
};

/// Reads lines until there are enough, and at the input's end an empty batch; blank ones are left out.
class LineReader {
 public:
  LineReader(std::istream& in, const OfflineOptions& options) : in_(in), options_(options) {}

  std::vector<Line> next(std::size_t most, OfflineSummary& summary) {
    std::vector<Line> lines;
    std::size_t bytes = 0;
    std::string text;
    while (lines.size() < most && bytes < kBatchBytes && summary.stopped.empty()) {
      const auto end = read_line(in_, text, options_.most_line_bytes);
      if (!end) break;
      ++number_;
      if (*end == LineEnd::TooLong)
        summary.stopped = fmt::format("{}:{}: longer than {} bytes; nothing behind it was read",
                                      options_.input_name, number_, options_.most_line_bytes);
      if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // files joined have several
      if (*end == LineEnd::TooLong || trimmed(text).empty()) continue;
      bytes += text.size();
      lines.push_back({number_, std::move(text), {}, {}, ""});
    }
    return lines;
  }

 private:
  std::istream& in_;
  const OfflineOptions& options_;
  std::int64_t number_ = 0;
};

void judge(Line& line, RowScorer& scorer, const OfflineOptions& options) {
  const auto where = fmt::format("{}:{}", options.input_name, line.number);
  Json row;
  try {
    row = parse_row(line.text, where);
  } catch (const UserError& error) {
    line.problem = error.what();
    return;
  }
  try {
    if (!row.is_object()) fail("expected a JSON object");
    line.verdict = scorer.score(row, std::to_string(line.number));
    line.label = label_of(row, options.label);
  } catch (const UserError& error) {
    line.problem = fmt::format("{}: {}", where, error.what());
  }
}

/// The row as it was written, and the verdict behind it instead of one that it had.
void write(const Line& line, std::ostream& out, const OfflineOptions& options,
           OfflineSummary& summary) {
  if (!line.problem.empty()) return summary.add_bad(line.problem);
  const auto& part = line.verdict.part;
  auto verdict = verdict_of(part, summary);
  if (options.explain) verdict["explanation"] = line.verdict.explanation;
  if (line.label) {
    const std::size_t outcome = !part.score ? 2 : *part.score == 1.0 ? 0 : 1;
    ++summary.labelled[outcome][line.label->right ? 0 : 1];
    summary.agreeing += part.score && line.label->agrees(*part.score) ? 1 : 0;
  }
  keep_slowest(summary, line.number, part.steps);
  ++summary.rows;
  const auto replaced = std::span(kVerdict).first(verdict.size());
  const auto fields = members_as_written(line.text, replaced);
  out << '{' << fields << (fields.empty() ? "" : ",") << dump_line(verdict).substr(1) << '\n';
}

}  // namespace

OfflineSummary score_jsonl(std::istream& in, std::ostream& out, const OfflineOptions& options) {
  RowScorer scorer(options);
  ThreadPool pool(std::max(available_cores(), static_cast<int>(scorer.concurrency())));
  OfflineSummary summary;
  LineReader reader(in, options);
  const auto most = kRowsAThread * static_cast<std::size_t>(pool.threads());
  for (auto lines = reader.next(most, summary); !lines.empty();
       lines = reader.next(most, summary)) {
    pool.run(std::ssize(lines),
             [&](std::int64_t i) { judge(lines[static_cast<std::size_t>(i)], scorer, options); });
    for (const auto& line : lines)
      write(line, out, options, summary);
  }
  if (summary.rows > 0 && summary.with_label() == 0) summary.unused_label = options.label;
  return summary;
}

}  // namespace aha
