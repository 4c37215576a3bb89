#include "data/inspect.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "data/formats.h"
#include "data/line_reader.h"
#include "data/prompt.h"
#include "data/text_hash.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr std::size_t kShown = 5;
constexpr std::size_t kNames = 200;
constexpr std::int64_t kProgressRows = 1024;
constexpr const char* kOthers = "(others)";

/// An entry of a map that hostile files cannot make grow without bound.
template <class Value>
Value& bounded(std::map<std::string, Value>& map, const std::string& name) {
  return map[map.contains(name) || map.size() < kNames ? name : kOthers];
}

std::string type_of(const Json& value) {
  if (value.is_string()) return "text";
  if (value.is_number_integer()) return "whole number";
  if (value.is_boolean()) return "true or false";
  if (value.is_array()) return "list";
  return value.type_name();
}

/// Which question a row asks, whatever its line breaks and spaces: published sets repeat questions
/// with other white space.
std::uint64_t question_key(const Json& question) {
  auto text = field_text(question);
  text.erase(std::remove_if(text.begin(), text.end(),
                            [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }),
             text.end());
  return text_hash(text);
}

std::int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

class Inspector {
 public:
  Inspector(const std::filesystem::path& path, const InspectOptions& options)
      : path_(path), options_(options), format_(options.format) {
    report_.guessed = format_.empty();
  }

  FileReport run() {
    for (const auto& file : options_.eval)
      read_eval(file);
    LineReader reader(path_, JsonlOptions().max_line_bytes);
    while (const auto line = reader.next()) {
      if (line->blank) continue;
      inspect(*line);
      if (options_.progress && ++lines_ % kProgressRows == 0)
        options_.progress(report_.rows, reader.bytes());
    }
    report_.bytes = reader.bytes();
    report_.format = format_.empty() ? format_names().front() : format_;
    if (report_.rows == 0)
      fail("{}: no row in it{}", LineReader::name_of(path_).string(),
           report_.invalid.first.empty() ? "" : "; " + report_.invalid.first.front());
    return std::move(report_);
  }

 private:
  /// The row in its format's form; says why where it has none.
  std::optional<std::string> read(const LineReader::Line& line, std::string& format, Json& row,
                                  Json* published) {
    if (auto problem = read_row(line, JsonlOptions().max_line_bytes, row)) return problem;
    if (format.empty()) format = guessed_format(row).name;
    if (published != nullptr) *published = row;
    return import_row(row_format(format), row);
  }

  void read_eval(const std::filesystem::path& path) {
    JsonlOptions options;
    auto format = options_.eval_format.empty() ? options_.format : options_.eval_format;
    LineReader reader(path, options.max_line_bytes);
    while (const auto line = reader.next()) {
      Json row;
      if (line->blank || read(*line, format, row, nullptr)) continue;
      if (row.contains(options_.question_field))
        eval_.emplace(question_key(row[options_.question_field]),
                      fmt::format("{}:{}", path.string(), line->number));
    }
    if (eval_.empty())
      fail("{}: no question in it to compare with; --eval-format names its format", path.string());
  }

  void inspect(const LineReader::Line& line) {
    const auto where = fmt::format("{}:{}", LineReader::name_of(path_).string(), line.number);
    Json row;
    Json published;
    if (const auto problem = read(line, format_, row, &published))
      return report_.invalid.add(fmt::format("{}: {}", where, *problem));
    ++report_.rows;
    for (const auto& [name, value] : published.items())
      ++bounded(report_.fields, name)[type_of(value)];
    const auto source = row.find("source");
    const bool named = source != row.end() && source->is_string();
    ++bounded(report_.sources,
              named ? source->get<std::string>() : LineReader::name_of(path_).stem().string());
    measure(row, options_.answer_field, report_.answers, where);
    if (options_.gold)
      if (const auto problem = options_.gold(format_, row))
        report_.golds.add(fmt::format("{}: {}", where, *problem));
    if (!measure(row, options_.question_field, report_.questions, where)) {
      ++report_.without_question;
      return;
    }
    compare(question_key(row[options_.question_field]), line.number, where);
  }

  /// False when the row has no such field.
  bool measure(const Json& row, const std::string& field, Lengths& lengths,
               const std::string& where) {
    const auto value = row.find(field);
    if (value == row.end() || value->is_null()) return false;
    const auto text = field_text(*value);
    if (options_.tokenizer == nullptr) {
      lengths.add(characters(text));
      return true;
    }
    try {
      lengths.add(std::ssize(options_.tokenizer->encode(text)));
    } catch (const UserError& error) {
      fail("{}: {}", where, error.what());
    }
    return true;
  }

  void compare(std::uint64_t question, std::int64_t number, const std::string& where) {
    const auto note = [&](DuplicateReport& report, const std::string& before) {
      ++report.count;
      if (report.first.size() < kShown) report.first.emplace_back(where, before);
    };
    const auto [first, is_new] = seen_.emplace(question, number);
    if (!is_new)
      note(report_.duplicates,
           fmt::format("{}:{}", LineReader::name_of(path_).string(), first->second));
    const auto evaluated = eval_.find(question);
    if (evaluated != eval_.end()) note(report_.overlap, evaluated->second);
  }

  std::filesystem::path path_;
  const InspectOptions& options_;
  std::string format_;
  FileReport report_;
  std::unordered_map<std::uint64_t, std::int64_t> seen_;  ///< question -> line
  std::unordered_map<std::uint64_t, std::string> eval_;   ///< question -> where
  std::int64_t lines_ = 0;
};

}  // namespace

std::int64_t Lengths::quantile(double share) const {
  const auto wanted = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(total_)));
  std::int64_t seen = 0;
  for (const auto& [length, count] : counts_) {
    seen += count;
    if (seen >= wanted) return length;
  }
  return most();
}

std::vector<Lengths::Bin> Lengths::histogram(std::int64_t bins) const {
  std::vector<Bin> all;
  if (counts_.empty()) return all;
  const auto width = (most() - least()) / bins + 1;
  for (auto from = least(); from <= most(); from += width)
    all.push_back({from, std::min(from + width - 1, most()), 0});
  for (const auto& [length, count] : counts_)
    all[static_cast<std::size_t>((length - least()) / width)].count += count;
  return all;
}

void NotedLines::add(const std::string& line) {
  ++count;
  if (first.size() < kShown) first.push_back(line);
}

FileReport inspect_file(const std::filesystem::path& path, const InspectOptions& options) {
  return Inspector(path, options).run();
}

}  // namespace aha
