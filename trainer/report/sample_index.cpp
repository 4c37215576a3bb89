#include "trainer/report/sample_index.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "trainer/core/error.h"
#include "trainer/core/parallel.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kPieceBytes = 4 << 20;
/// Pages of so many pieces stay in memory at once.
constexpr std::size_t kPiecesAtOnce = 16;

struct Piece {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::vector<SampleEntry> entries;
  std::vector<std::string> stages;  ///< of the entries
  std::size_t bad_lines = 0;
  bool half_written = false;
};

std::optional<std::int64_t> integer(const Json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

bool is_text(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && found->is_string();
}

/// Whether a word of reflection lies before the last place of an answer that was read.
bool reflects_first(const Json& row, const std::string& text, const ReflectionWords& words) {
  const auto extracted = row.find("extracted");
  if (extracted == row.end() || !extracted->is_object()) return false;
  for (const auto& [reward, answer] : extracted->items()) {
    if (!answer.is_string()) continue;
    const auto& read = answer.get_ref<const std::string&>();
    const auto at = read.empty() ? std::string::npos : text.rfind(read);
    if (at != std::string::npos && words.count(std::string_view(text).substr(0, at)) > 0)
      return true;
  }
  return false;
}

/// Behind the list of numbers that begins at `at`, at its bracket; `at` when there is anything else.
std::size_t end_of_numbers(std::string_view line, std::size_t at) {
  static const auto kParts = [] {
    std::array<bool, 256> parts{};
    for (const char c : std::string_view("0123456789.,+-eE \tnul"))  // "null" too
      parts[static_cast<unsigned char>(c)] = true;
    return parts;
  }();
  std::size_t end = at;
  while (end < line.size() && kParts[static_cast<unsigned char>(line[end])])
    ++end;
  return end < line.size() && line[end] == ']' ? end : at;
}

/// Behind the quote that ends the string which begins at `at`.
std::size_t end_of_string(std::string_view line, std::size_t at) {
  for (auto end = line.find('"', at); end != std::string_view::npos;
       end = line.find('"', end + 1)) {
    std::size_t escapes = 0;
    while (end - escapes > at && line[end - escapes - 1] == '\\')
      ++escapes;
    if (escapes % 2 == 0) return end + 1;
  }
  return line.size();
}

/// A JSON line whose lists of numbers are empty. A list that has anything else stays.
std::string without_numbers(std::string_view line) {
  std::string out;
  for (std::size_t at = 0; at < line.size();) {
    const auto next = line.find_first_of("\"[", at);
    if (next == std::string_view::npos) return out.append(line.substr(at));
    const bool text = line[next] == '"';
    const auto end = text ? end_of_string(line, next + 1) : next + 1;
    out.append(line.substr(at, end - at));
    at = text ? end : end_of_numbers(line, end);
  }
  return out;
}

bool read_entry(const Json& row, bool held_out, const ReflectionWords& words, SampleEntry& entry) {
  const auto step = integer(row, "step");
  if (!row.is_object() || !step || !is_text(row, "completion")) return false;
  entry.step = *step;
  entry.unit = integer(row, held_out ? "row" : "ordinal").value_or(0);
  entry.index = integer(row, "index").value_or(0);
  entry.held_out = held_out;
  if (is_text(row, "prompt"))
    entry.prompt = std::hash<std::string>()(row["prompt"].get_ref<const std::string&>());
  entry.truncated =
      is_text(row, "finish") && row["finish"].get_ref<const std::string&>() == "length";
  const auto& text = row["completion"].get_ref<const std::string&>();
  entry.reflective = words.count(text) > 0;
  entry.reflects_first = entry.reflective && reflects_first(row, text, words);
  if (const auto found = row.find("accuracy"); found != row.end() && found->is_number())
    entry.mark = found->get<double>() > 0.5 ? SampleEntry::Mark::Right : SampleEntry::Mark::Wrong;
  return true;
}

/// Begins a piece at each first line behind a multiple of the size.
std::vector<Piece> pieces_of(std::string_view text) {
  std::vector<Piece> pieces;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', std::min(begin + kPieceBytes, text.size()));
    Piece piece;
    piece.begin = begin;
    piece.end = end == std::string_view::npos ? text.size() : end + 1;
    begin = piece.end;
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

void read_piece(std::string_view text, bool held_out, const ReflectionWords& words, Piece& piece) {
  for (std::size_t at = piece.begin; at < piece.end;) {
    const auto newline = text.find('\n', at);
    const bool whole = newline != std::string_view::npos;
    const std::size_t end = whole ? newline : piece.end;
    const auto line = text.substr(at, end - at);
    SampleEntry entry;
    entry.offset = at;
    entry.size = line.size();
    at = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    try {
      const Json row = parse_json(without_numbers(line), "");
      if (read_entry(row, held_out, words, entry)) {
        piece.entries.push_back(entry);
        piece.stages.push_back(is_text(row, "stage") ? row["stage"].get<std::string>() : "run");
        continue;
      }
    } catch (const UserError&) {
      piece.half_written = !whole;
      if (!whole) continue;
    }
    ++piece.bad_lines;
  }
}

std::string_view text_of(const MappedFile& file) {
  const auto bytes = file.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

SampleIndex::SampleIndex(const fs::path& file, bool held_out, const ReflectionWords& words) {
  std::error_code error;
  if (fs::file_size(file, error) == 0 && !error) return;
  file_ = std::make_unique<MappedFile>(file);
  const auto text = text_of(*file_);
  auto pieces = pieces_of(text);
  ThreadPool pool(available_cores());
  for (std::size_t first = 0; first < pieces.size(); first += kPiecesAtOnce) {
    const std::size_t count = std::min(kPiecesAtOnce, pieces.size() - first);
    pool.run(static_cast<std::int64_t>(count), [&](std::int64_t i) {
      read_piece(text, held_out, words, pieces[first + static_cast<std::size_t>(i)]);
    });
    file_->forget(pieces[first].begin, pieces[first + count - 1].end);
  }
  for (auto& piece : pieces) {
    bad_lines_ += piece.bad_lines;
    half_written_ = half_written_ || piece.half_written;
    for (std::size_t i = 0; i < piece.entries.size(); ++i) {
      auto known = std::find_if(stages_.begin(), stages_.end(),
                                [&](const auto& name) { return *name == piece.stages[i]; });
      if (known == stages_.end())
        known = stages_.insert(stages_.end(), std::make_unique<std::string>(piece.stages[i]));
      piece.entries[i].stage = **known;
      entries_.push_back(piece.entries[i]);
    }
    piece = Piece();
  }
}

Json SampleIndex::row(const SampleEntry& entry) const {
  const auto line = text_of(*file_).substr(entry.offset, entry.size);
  try {
    return parse_json(line, "completions");
  } catch (const UserError&) {
    return parse_json(without_numbers(line), "completions");
  }
}

}  // namespace aha
