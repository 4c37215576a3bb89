#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace aha {

/// One character of UTF-8 text. Bytes that are not UTF-8 come out one at a time as U+FFFD, so any
/// text can be walked and no byte is lost.
struct Character {
  std::int32_t code_point = 0;
  std::size_t size = 0;  ///< bytes
};

/// The character that begins at `at` (< text.size()), and the one that ends at `end` (> 0).
Character character_at(std::string_view text, std::size_t at);
Character character_before(std::string_view text, std::size_t end);

/// Offset of the first byte that is not well-formed UTF-8 (overlong forms, surrogates and code
/// points beyond U+10FFFF included); nothing when all is well.
std::optional<std::size_t> first_invalid_utf8(std::string_view text);

/// Unicode's White_Space property: what Rust's char::is_whitespace and \s of its regexes mean.
bool is_space(std::int32_t code_point);

/// \w of Unicode TR18 as Rust's regexes have it: letters, marks, decimal digits, letter numbers,
/// connector punctuation, joiners.
bool is_word(std::int32_t code_point);

}  // namespace aha
