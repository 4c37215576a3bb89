#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/tasks/task.h"
#include "trainer/config/schema.h"
#include "trainer/core/json.h"

namespace aha {

/// Rows by number. A row is a JSON object; the same number is always the same row. Safe to read
/// from several threads.
class Dataset {
 public:
  explicit Dataset(std::string name) : name_(std::move(name)) {}
  virtual ~Dataset() = default;

  /// Number of rows; nothing: endless.
  virtual std::optional<std::int64_t> size() const = 0;
  virtual Json row(std::int64_t index) const = 0;
  /// The row with the keys of its objects in their order, where that is known: a chat template
  /// writes them so.
  virtual OrderedJson ordered_row(std::int64_t index) const { return row(index); }
  /// Where a row comes from, for messages: "train.jsonl:17", "parity row 17".
  virtual std::string where(std::int64_t index) const = 0;
  /// "120 rows, 0f3c..." of what was read from a file, so that a run notices when it changes; empty
  /// for rows that are made from their number.
  virtual std::string fingerprint() const { return ""; }
  /// The `source` of rows that name none.
  const std::string& name() const { return name_; }
  /// Of one of its rows: the field `source` where that is a text, else the name.
  std::string source_of(const Json& row) const;

 private:
  std::string name_;
};

/// Why a row is of no use; nothing when it is fine.
using RowProblem = std::function<std::optional<std::string>(const Json& row)>;

struct JsonlOptions {
  std::string name;                          ///< empty: the file's stem
  std::string format = "jsonl";              ///< how the rows are published: formats.h
  std::vector<std::string> required_fields;  ///< present, not null, not an empty text
  RowProblem problem;                        ///< asked after the fields; may be empty
  std::int64_t max_invalid = 0;              ///< bad lines tolerated: skipped and counted
  std::int64_t count = 0;                    ///< stop after so many good rows; 0: all
  std::size_t max_line_bytes = std::size_t{16} << 20;
};

/// A JSONL file ("-": standard input): one object a line, UTF-8 (byte order marks before lines and
/// CRLF are taken, blank lines skipped). It is read once, in pieces; the good rows, in the form that their
/// format makes of them, are kept as text and parsed when asked for, so memory is about the size of
/// the file.
///
/// Errors: more than `max_invalid` bad lines (the first five are named, as "file:line: ...", and how many
/// there are), no good line at all, a file that cannot be read.
class JsonlDataset final : public Dataset {
 public:
  JsonlDataset(const std::filesystem::path& path, const JsonlOptions& options);

  std::optional<std::int64_t> size() const override {
    return static_cast<std::int64_t>(lines_.size());
  }
  Json row(std::int64_t index) const override;
  OrderedJson ordered_row(std::int64_t index) const override;
  std::string where(std::int64_t index) const override;
  std::string fingerprint() const override;

  std::int64_t invalid() const { return invalid_; }  ///< bad lines that were skipped
  const std::filesystem::path& path() const { return path_; }

  /// Two datasets: rows whose `field` hashes (with `seed`) into the first 1 - fraction, named as
  /// this one, and the rest, named `held_out_name`. A row's side depends on its text alone, so
  /// equal questions never stand on both. UserError when either would be empty.
  std::pair<std::unique_ptr<JsonlDataset>, std::unique_ptr<JsonlDataset>> split(
      double fraction, std::uint64_t seed, const std::string& field,
      const std::string& held_out_name) const;

 private:
  struct Line {
    std::size_t offset = 0;
    std::size_t size = 0;
    std::int64_t number = 0;  ///< in the file, 1-based
  };
  JsonlDataset(std::string name, std::filesystem::path path)
      : Dataset(std::move(name)), path_(std::move(path)) {}
  void keep(std::string_view text, std::int64_t number);
  std::string_view text_of(std::int64_t index) const;

  std::filesystem::path path_;
  std::string text_;
  std::vector<Line> lines_;
  std::int64_t invalid_ = 0;
};

/// Rows of a task generator, made when asked for.
class TaskDataset final : public Dataset {
 public:
  struct Rows {
    Split split = Split::Train;
    std::uint64_t seed = 0;
    std::int64_t count = 0;  ///< 0: endless
  };
  TaskDataset(std::string name, std::unique_ptr<Task> task, Rows rows)
      : Dataset(std::move(name)), task_(std::move(task)), rows_(rows) {}

  std::optional<std::int64_t> size() const override;
  Json row(std::int64_t index) const override;
  std::string where(std::int64_t index) const override;
  const Task& task() const { return *task_; }

 private:
  std::unique_ptr<Task> task_;
  Rows rows_;
};

struct OpenOptions {
  Split split = Split::Train;                ///< which part of a task's problems
  std::uint64_t seed = 0;                    ///< of a task's rows
  std::vector<std::string> required_fields;  ///< of a file's rows
  RowProblem problem;                        ///< of a file's rows
  std::int64_t max_invalid = 0;
};

/// The dataset of a configuration. UserError when `source` names neither or both of path and task,
/// or has a negative count; says on the log when bad lines were skipped or a file has fewer rows
/// than `count`.
std::unique_ptr<Dataset> open_dataset(const DataSource& source, const OpenOptions& options);

}  // namespace aha
