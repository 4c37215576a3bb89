#include "data/line_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"
#include "trainer/core/json_text.h"

namespace aha {

LineReader::LineReader(const std::filesystem::path& path, std::size_t max_line_bytes)
    : path_(name_of(path)),
      max_line_bytes_(max_line_bytes),
      file_(path == "-" ? stdin : std::fopen(path.c_str(), "rb")) {
  if (!file_) fail("{}: cannot be read: {}", path.string(), std::strerror(errno));
}

bool LineReader::fill() {
  buffer_.resize(std::size_t{1} << 16);
  const auto got = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
  if (std::ferror(file_.get()) != 0)
    fail("{}: reading failed: {}", path_.string(), std::strerror(errno));
  buffer_.resize(got);
  bytes_ += static_cast<std::int64_t>(got);
  at_ = 0;
  return got > 0;
}

std::optional<LineReader::Line> LineReader::next() {
  line_.clear();
  bool too_long = false;
  bool any = false;
  for (;;) {
    if (at_ == buffer_.size() && !fill()) {
      if (!any) return std::nullopt;
      break;
    }
    any = true;
    const auto end = buffer_.find('\n', at_);
    const auto stop = std::min(end, buffer_.size());
    // Room for the CR and a byte order mark, which do not count.
    const auto room = max_line_bytes_ + 4 - std::min(line_.size(), max_line_bytes_ + 4);
    line_.append(buffer_, at_, std::min(stop - at_, room));
    too_long = too_long || stop - at_ > room;
    at_ = std::min(stop + 1, buffer_.size());
    if (end != std::string::npos) break;
  }
  std::string_view text = line_;
  ++number_;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // files joined have several
  if (text.ends_with('\r')) text.remove_suffix(1);
  too_long = too_long || text.size() > max_line_bytes_;
  return Line{text, number_, text.find_first_not_of(" \t") == std::string_view::npos, too_long};
}

std::optional<std::string> read_row(const LineReader::Line& line, std::size_t max_line_bytes,
                                    Json& row) {
  if (line.too_long) return fmt::format("line longer than {} bytes", max_line_bytes);
  if (const auto bad = first_invalid_utf8(line.text))
    return fmt::format("not UTF-8: byte {} of the line", *bad + 1);
  try {
    row = parse_row(line.text, "");
  } catch (const UserError& error) {
    return std::string(error.what()).substr(2);  // without its empty place
  }
  if (!row.is_object()) return fmt::format("expected a JSON object, found {}", row.type_name());
  return std::nullopt;
}

}  // namespace aha
