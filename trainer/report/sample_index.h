#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/core/file.h"
#include "trainer/core/json.h"
#include "trainer/metrics/reflection.h"

namespace aha {

/// What a choice among completions needs to know of one, without its text.
struct SampleEntry {
  enum class Mark : std::uint8_t { Wrong, Right, Unjudged };

  std::size_t offset = 0;  ///< of its line in the file
  std::size_t size = 0;    ///< of the line, in bytes
  std::string_view stage;  ///< interned by the index
  std::int64_t step = 0;
  std::int64_t unit = 0;   ///< the problem: `row` of a held-out one, `ordinal` of a training group
  std::size_t prompt = 0;  ///< hash of its text: rows of several evaluation sets have one number
  std::int64_t index = 0;  ///< in its group
  Mark mark = Mark::Unjudged;
  bool held_out = false;
  bool reflective = false;      ///< has a word of log.reflection_words
  bool reflects_first = false;  ///< has one before the last place of an answer read from it
  bool truncated = false;

  bool right() const { return mark == Mark::Right; }
  bool right_after_reflection() const { return right() && reflects_first; }
};

/// One completions file, seen in one pass on all cores. Lines that are no completion are counted
/// and passed over; a last line that has no newline and does not parse is one that is being written.
/// Lists of numbers (ids, log-probabilities) are not looked at in that pass: they may be most of
/// the file.
class SampleIndex {
 public:
  /// UserError when the file cannot be read.
  SampleIndex(const std::filesystem::path& file, bool held_out, const ReflectionWords& words);

  const std::vector<SampleEntry>& entries() const { return entries_; }
  std::size_t bad_lines() const { return bad_lines_; }
  bool half_written() const { return half_written_; }
  /// The whole row of an entry; without its lists of numbers if those do not parse.
  Json row(const SampleEntry& entry) const;

 private:
  std::unique_ptr<MappedFile> file_;  ///< null: an empty file cannot be mapped
  std::vector<std::unique_ptr<std::string>> stages_;
  std::vector<SampleEntry> entries_;
  std::size_t bad_lines_ = 0;
  bool half_written_ = false;
};

}  // namespace aha
