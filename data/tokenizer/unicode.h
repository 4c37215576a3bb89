#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
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

/// Appends a code point as UTF-8; U+FFFD for one that has no UTF-8.
void append_utf8(std::int32_t code_point, std::string& text);

/// `bytes` with U+FFFD for each longest run that begins a character without completing it, and for
/// each other byte that is not UTF-8 (Unicode 3.9, "maximal subparts", as Rust's from_utf8_lossy).
std::string lossy_utf8(std::string_view bytes);

/// Bytes at the end of `bytes` that begin a character and may yet be completed: 0 to 3.
std::size_t incomplete_tail(std::string_view bytes);

/// Unicode's White_Space property: what Rust's char::is_whitespace and \s of its regexes mean.
bool is_space(std::int32_t code_point);

/// Where the white space that ends at `end` begins, and where the one that begins at `at` ends.
std::size_t space_start(std::string_view text, std::size_t end);
std::size_t space_end(std::string_view text, std::size_t at);

/// \w of Unicode TR18 as Rust's regexes have it: letters, marks, decimal digits, letter numbers,
/// connector punctuation, joiners.
bool is_word(std::int32_t code_point);

/// General category N: what Rust's char::is_numeric means.
bool is_number(std::int32_t code_point);

/// ASCII punctuation and general category P.
bool is_punctuation(std::int32_t code_point);

enum class NormalForm { NFC, NFD, NFKC, NFKD };

/// `text`, which is well-formed, in a normal form of Unicode.
std::string normal_form(std::string_view text, NormalForm form);

/// `text` in small letters, one character at a time (no final sigma), as Rust's char::to_lowercase.
std::string lower_case(std::string_view text);

}  // namespace aha
