#pragma once
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aha {

// Scanners over untrusted text. All are linear in its size, use no recursion and treat it as bytes:
// NUL bytes and invalid UTF-8 are ordinary content.

/// Space, tab, newline, vertical tab, form feed, carriage return.
bool is_space(char c);
bool is_digit(char c);
/// Of ASCII.
constexpr bool is_letter(char c) {
  return (static_cast<unsigned char>(c) | 0x20U) - 'a' < 26U;
}

/// A capital of ASCII made small; any other byte as it is.
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string lower(std::string_view text);

/// Whether a list has a word.
template <class List>
bool holds(const List& list, std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

/// Without white space at both ends.
std::string_view trimmed(std::string_view text);

/// What stands in the last closed <tag>...</tag>; nothing if there is none. Of openings that follow
/// each other without a close between them, the last one counts.
std::optional<std::string_view> last_tagged(std::string_view text, std::string_view tag);

/// What follows the last </think>; all of a text without one.
std::string_view after_thought(std::string_view text);

/// The same; nothing where a <think> has not ended.
std::optional<std::string_view> after_ended_thought(std::string_view text);

/// Occurrences of `needle` that do not overlap, from the left.
std::size_t count_of(std::string_view text, std::string_view needle);

/// The last `count` words (separated by white space) in their order; fewer if there are fewer.
std::vector<std::string_view> last_words(std::string_view text, std::size_t count);

/// At most 200 bytes for a message, cut between characters, "..." where something was left out.
std::string clipped(std::string_view text);

}  // namespace aha
