#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "trainer/core/json.h"
#include "trainer/metrics/append_file.h"

namespace aha {

/// One JSON value a line, appended: metrics.jsonl and the files under completions/. Numbers are
/// written with the shortest digits that read back to the same double. JSON has no NaN and no
/// infinity: both are written as null, which readers take for "no value".
class JsonlWriter {
 public:
  /// See AppendFile: `offset` is 0 for a new file, and the checkpoint's on resume.
  explicit JsonlWriter(std::filesystem::path path, std::uint64_t offset = 0)
      : file_(std::move(path), offset) {}

  void write(const OrderedJson& row);
  /// Several rows with one system call: all of them are in the file, or none. Rows that cannot be written are
  /// held, see AppendFile.
  void write(std::span<const OrderedJson> rows);

  std::uint64_t offset() const { return file_.offset(); }
  void sync() { file_.sync(); }
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  AppendFile file_;
};

/// All rows of a JSONL file. A last line without its newline is what a kill left of a write: it is
/// passed over when it does not parse. Blank lines are passed over too. UserError "PATH:LINE: ..."
/// when another line is not JSON, or when the file cannot be read.
std::vector<Json> read_jsonl(const std::filesystem::path& path);

/// The same on text that is in memory; `where` names it in errors.
std::vector<Json> parse_jsonl(std::string_view text, std::string_view where);

}  // namespace aha
