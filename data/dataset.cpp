#include "data/dataset.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "data/formats.h"
#include "data/line_reader.h"
#include "data/text_hash.h"
#include "trainer/core/error.h"
#include "trainer/core/json_text.h"
#include "trainer/core/philox.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr std::size_t kErrorsShown = 5;

/// What is wrong with a row, for "file:line: ..."; nothing when it is a good one, which then has the
/// form that its format makes of it.
std::optional<std::string> row_problem(Json& row, const RowFormat& format,
                                       const JsonlOptions& options) {
  if (auto problem = import_row(format, row)) return problem;
  for (const auto& field : options.required_fields) {
    const auto found = row.find(field);
    if (found == row.end()) {
      std::vector<std::string> names;
      for (const auto& [name, value] : row.items())
        names.push_back(name);
      if (names.size() > 12) names.resize(12);
      const std::string known = guessed_format(row).name;
      return fmt::format("field '{}' is missing; the row has {}{}", field,
                         names.empty() ? "none" : join_list(names),
                         known == options.format || known == "jsonl"
                             ? ""
                             : fmt::format("; format: {} reads such rows", known));
    }
    if (found->is_null()) return fmt::format("field '{}' is null", field);
    if (found->is_string() && found->get_ref<const std::string&>().empty())
      return fmt::format("field '{}' is empty", field);
  }
  return options.problem ? options.problem(row) : std::nullopt;
}

std::string lines_of(const std::vector<std::string>& errors) {
  std::string text;
  for (const auto& error : errors)
    text += (text.empty() ? "" : "\n") + error;
  return text;
}

}  // namespace

std::string Dataset::source_of(const Json& row) const {
  const auto source = row.find("source");
  return source != row.end() && source->is_string() ? source->get<std::string>() : name_;
}

JsonlDataset::JsonlDataset(const std::filesystem::path& path, const JsonlOptions& options)
    : Dataset(options.name.empty() ? LineReader::name_of(path).stem().string() : options.name),
      path_(LineReader::name_of(path)) {
  LineReader reader(path, options.max_line_bytes);
  const auto& format = row_format(options.format);
  const bool as_it_is = &format == &format_table().front();
  std::vector<std::string> errors;
  while (const auto line = reader.next()) {
    if (line->blank) continue;
    Json row;
    auto problem = read_row(*line, options.max_line_bytes, row);
    if (!problem) problem = row_problem(row, format, options);
    if (!problem) {
      keep(as_it_is ? line->text : dump_line(row), line->number);
      if (options.count > 0 && std::ssize(lines_) == options.count) break;
      continue;
    }
    ++invalid_;
    if (errors.size() < kErrorsShown)
      errors.push_back(fmt::format("{}:{}: {}", path_.string(), line->number, *problem));
  }
  if (invalid_ > options.max_invalid) {
    errors.push_back(
        fmt::format("{}: {} bad, {} good; data.max_invalid: {} would skip the bad ones",
                    path_.string(), invalid_, lines_.size(), invalid_));
    throw UserError(lines_of(errors));
  }
  if (lines_.empty()) fail("{}: the dataset is empty: no good row in it", path_.string());
}

void JsonlDataset::keep(std::string_view text, std::int64_t number) {
  lines_.push_back({text_.size(), text.size(), number});
  text_ += text;
}

std::string JsonlDataset::fingerprint() const {
  return fmt::format("{} rows, {:016x}", lines_.size(), text_hash(text_));
}

std::string_view JsonlDataset::text_of(std::int64_t index) const {
  check(index >= 0 && index < std::ssize(lines_), "a row's number is below the dataset's size");
  const auto& line = lines_[static_cast<std::size_t>(index)];
  return std::string_view(text_).substr(line.offset, line.size);
}

Json JsonlDataset::row(std::int64_t index) const {
  return parse_row(text_of(index), where(index));
}

OrderedJson JsonlDataset::ordered_row(std::int64_t index) const {
  return parse_ordered_row(text_of(index));  // a good row since it was read
}

std::string JsonlDataset::where(std::int64_t index) const {
  return fmt::format("{}:{}", path_.string(), lines_.at(static_cast<std::size_t>(index)).number);
}

std::pair<std::unique_ptr<JsonlDataset>, std::unique_ptr<JsonlDataset>> JsonlDataset::split(
    double fraction, std::uint64_t seed, const std::string& field,
    const std::string& held_out_name) const {
  auto train = std::unique_ptr<JsonlDataset>(new JsonlDataset(name(), path_));
  auto held_out = std::unique_ptr<JsonlDataset>(new JsonlDataset(held_out_name, path_));
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const auto hash = question_hash(row(static_cast<std::int64_t>(i)), field);
    const RandomKey key{.seed = seed,
                        .purpose = Purpose::Shuffle,
                        .ordinal = hash & ((std::uint64_t{1} << 48) - 1),
                        .sample = hash >> 48};
    auto& side = uniform(key) < fraction ? *held_out : *train;
    side.keep(std::string_view(text_).substr(lines_[i].offset, lines_[i].size), lines_[i].number);
  }
  if (train->lines_.empty() || held_out->lines_.empty())
    fail("{}: eval_fraction {} of {} rows leaves no row for {}", path_.string(), fraction,
         lines_.size(), train->lines_.empty() ? "training" : "evaluation");
  return {std::move(train), std::move(held_out)};
}

std::optional<std::int64_t> TaskDataset::size() const {
  if (rows_.count == 0) return std::nullopt;
  return rows_.count;
}

Json TaskDataset::row(std::int64_t index) const {
  check(index >= 0 && (rows_.count == 0 || index < rows_.count),
        "a row's number is below the dataset's size");
  return task_->row(rows_.split, rows_.seed, static_cast<std::uint64_t>(index));
}

std::string TaskDataset::where(std::int64_t index) const {
  return fmt::format("{} row {}", name(), index);
}

std::unique_ptr<Dataset> open_dataset(const DataSource& source, const OpenOptions& options) {
  if (source.path.empty() == source.task.empty())
    fail("a dataset needs exactly one of 'path' and 'task', found {}",
         source.path.empty() ? "neither" : "both");
  if (source.count < 0) fail("a dataset's 'count' is {}, expected 0 or more", source.count);
  if (!source.task.empty()) {
    return std::make_unique<TaskDataset>(
        source.name.empty() ? source.task : source.name,
        make_task(source.task, source.task_options),
        TaskDataset::Rows{options.split, options.seed, source.count});
  }
  JsonlOptions jsonl;
  jsonl.name = source.name;
  jsonl.format = source.format;
  jsonl.required_fields = options.required_fields;
  jsonl.problem = options.problem;
  jsonl.max_invalid = options.max_invalid;
  jsonl.count = source.count;
  auto dataset = std::make_unique<JsonlDataset>(source.path, jsonl);
  if (dataset->invalid() > 0)
    spdlog::warn("{}: {} bad lines skipped", source.path, dataset->invalid());
  if (source.count > 0 && *dataset->size() < source.count)
    spdlog::warn("{}: {} rows, fewer than count = {}", source.path, *dataset->size(), source.count);
  return dataset;
}

}  // namespace aha
