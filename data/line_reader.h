#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "trainer/core/json.h"

namespace aha {

/// Lines of a text file ("-": standard input), read in pieces of 64 KiB. A byte order mark before a line and the CR
/// of CRLF are taken away. A line beyond the limit is skipped to its end and reported as too long, so
/// memory is bounded whatever the file holds. UserError when the file cannot be read.
class LineReader {
 public:
  LineReader(const std::filesystem::path& path, std::size_t max_line_bytes);

  struct Line {
    std::string_view text;    ///< without its end; lives until the next call
    std::int64_t number = 0;  ///< 1-based
    bool blank = false;       ///< only spaces and tabs
    bool too_long = false;    ///< `text` is the part that was kept
  };
  /// The next line; nothing at the end.
  std::optional<Line> next();
  std::int64_t bytes() const { return bytes_; }  ///< read so far

  /// What messages call a file: "standard input" for "-".
  static std::filesystem::path name_of(const std::filesystem::path& path) {
    return path == "-" ? "standard input" : path;
  }

 private:
  bool fill();

  struct Close {
    void operator()(std::FILE* file) const {
      if (file != stdin) std::fclose(file);
    }
  };
  std::filesystem::path path_;
  std::size_t max_line_bytes_;
  std::unique_ptr<std::FILE, Close> file_;
  std::string buffer_;  ///< read, not yet given out from `at_` on
  std::size_t at_ = 0;
  std::string line_;
  std::int64_t number_ = 0;
  std::int64_t bytes_ = 0;
};

/// Parses a line as one JSON object, or says why it is none.
std::optional<std::string> read_row(const LineReader::Line& line, std::size_t max_line_bytes,
                                    Json& row);

}  // namespace aha
