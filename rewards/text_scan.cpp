#include "rewards/text_scan.h"

#include <algorithm>

namespace aha {

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string lower(std::string_view text) {
  std::string small(text);
  std::transform(small.begin(), small.end(), small.begin(), [](char c) { return lower(c); });
  return small;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

std::optional<std::string_view> last_tagged(std::string_view text, std::string_view tag) {
  const auto open = "<" + std::string(tag) + ">";
  const auto close = "</" + std::string(tag) + ">";
  std::optional<std::string_view> last;
  for (std::size_t from = 0;;) {
    const auto start = text.find(open, from);
    if (start == std::string_view::npos) return last;
    const auto end = text.find(close, start + open.size());
    if (end == std::string_view::npos) return last;
    const auto between = text.substr(start, end - start);
    last = between.substr(between.rfind(open) + open.size());
    from = end + close.size();
  }
}

std::string_view after_thought(std::string_view text) {
  constexpr std::string_view kClose = "</think>";
  // from the left, as find is several times as fast as rfind
  for (auto at = text.find(kClose); at != std::string_view::npos; at = text.find(kClose))
    text.remove_prefix(at + kClose.size());
  return text;
}

std::optional<std::string_view> after_ended_thought(std::string_view text) {
  const auto rest = after_thought(text);
  if (rest.size() == text.size() && text.find("<think>") != std::string_view::npos)
    return std::nullopt;
  return rest;
}

std::size_t count_of(std::string_view text, std::string_view needle) {
  std::size_t count = 0;
  for (auto at = text.find(needle); at != std::string_view::npos;
       at = text.find(needle, at + needle.size()))
    ++count;
  return count;
}

std::vector<std::string_view> last_words(std::string_view text, std::size_t count) {
  std::vector<std::string_view> words;
  auto end = text.size();
  while (words.size() < count) {
    while (end > 0 && is_space(text[end - 1]))
      --end;
    if (end == 0) break;
    auto begin = end;
    while (begin > 0 && !is_space(text[begin - 1]))
      --begin;
    words.push_back(text.substr(begin, end - begin));
    end = begin;
  }
  std::reverse(words.begin(), words.end());
  return words;
}

std::string clipped(std::string_view text) {
  constexpr std::size_t kMost = 200;
  if (text.size() <= kMost) return std::string(text);
  auto size = kMost - 3;
  // Bytes 10xxxxxx continue a character; a character has at most three of them.
  for (int i = 0; i < 3 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U; ++i)
    --size;
  return std::string(text.substr(0, size)) + "...";
}

}  // namespace aha
