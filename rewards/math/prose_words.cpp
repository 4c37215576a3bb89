#include "rewards/math/prose_words.h"

#include <algorithm>

#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::size_t kReach = 48;
constexpr std::size_t kMostWords = 5;
constexpr std::string_view kPassed = " $*-/\"\\{~";

enum class Kind { Letters, Digits, Passed, Other };
Kind kind_of(char c) {
  if (is_letter(c)) return Kind::Letters;
  if (is_digit(c)) return Kind::Digits;
  return kPassed.find(c) == kNone ? Kind::Other : Kind::Passed;
}

/// The word of a run of letters or digits, or of one character.
std::string word_of(std::string_view run, Kind kind) {
  return kind == Kind::Digits ? "#" : lower(run);
}

bool is_token(char c) {
  return c == '%' || c == ',' || c == '(';
}

}  // namespace

bool is_in(std::string_view word, std::initializer_list<std::string_view> words) {
  return holds(words, word);
}

Words words_behind(std::string_view text, std::size_t from) {
  text = text.substr(std::min(from, text.size())).substr(0, kReach);
  Words words;
  for (std::size_t at = 0; at < text.size() && words.size() < kMostWords;) {
    const auto kind = kind_of(text[at]);
    auto end = at + 1;
    if (kind == Kind::Other && !is_token(text[at])) break;
    while (kind != Kind::Other && end < text.size() && kind_of(text[end]) == kind)
      ++end;
    if (kind != Kind::Passed) words.push_back(word_of(text.substr(at, end - at), kind));
    at = end;
  }
  return words;
}

Words words_before(std::string_view text, std::size_t end) {
  const auto reach = std::min(end, kReach);
  text = text.substr(end - reach, reach);
  Words words;
  while (!text.empty() && words.size() < kMostWords) {
    const auto kind = kind_of(text.back());
    auto from = text.size() - 1;
    if (kind == Kind::Other && !is_token(text[from])) break;
    while (kind != Kind::Other && from > 0 && kind_of(text[from - 1]) == kind)
      --from;
    if (kind != Kind::Passed) words.push_back(word_of(text.substr(from), kind));
    text = text.substr(0, from);
  }
  return words;
}

std::string_view at(const Words& words, std::size_t i) {
  return i < words.size() ? std::string_view(words[i]) : std::string_view();
}

}  // namespace aha::math
