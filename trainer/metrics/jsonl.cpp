#include "trainer/metrics/jsonl.h"

#include "trainer/core/error.h"
#include "trainer/core/file.h"

namespace aha {

void JsonlWriter::write(const OrderedJson& row) {
  file_.append_or_hold(dump_line(row) + "\n");
}

void JsonlWriter::write(std::span<const OrderedJson> rows) {
  std::string lines;
  for (const auto& row : rows)
    lines += dump_line(row) + "\n";
  file_.append_or_hold(lines);
}

std::vector<Json> parse_jsonl(std::string_view text, std::string_view where) {
  std::vector<Json> rows;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const bool whole = end != std::string_view::npos;
    const auto line = text.substr(0, end);
    text.remove_prefix(whole ? end + 1 : text.size());
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    try {
      rows.push_back(parse_json(line, fmt::format("{}:{}", where, number)));
    } catch (const UserError&) {
      if (whole) throw;
    }
  }
  return rows;
}

std::vector<Json> read_jsonl(const std::filesystem::path& path) {
  return parse_jsonl(read_file(path), path.string());
}

}  // namespace aha
