#include "rewards/math/places.h"

#include <algorithm>

#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool in_word(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || c == '\'' || c == '_' || c == '\\';
}

bool is_choice(std::string_view text, std::size_t at) {
  if (text[at] < 'A' || text[at] > 'J') return false;
  if (at > 0 && in_word(text[at - 1])) return false;
  if (at + 1 == text.size()) return true;
  if (in_word(text[at + 1])) return false;
  // "A cat", "I think"
  const bool word_follows = text[at + 1] == ' ' && at + 2 < text.size() && in_word(text[at + 2]);
  return !word_follows || (text[at] != 'A' && text[at] != 'I');
}

bool in_brackets(std::string_view text, std::size_t at) {
  return at > 0 && text[at - 1] == '(' && at + 1 < text.size() && text[at + 1] == ')';
}

}  // namespace

std::size_t last_phrase(std::string_view text, std::string_view phrase) {
  for (auto at = text.size(); at-- > 0;) {
    if (at + phrase.size() > text.size() || lower(text[at]) != phrase[0]) continue;
    const auto here = text.substr(at, phrase.size());
    if (std::equal(here.begin(), here.end(), phrase.begin(),
                   [](char a, char b) { return lower(a) == b; }))
      return at;
  }
  return kNone;
}

std::optional<std::string_view> answer_line(std::string_view text) {
  for (auto end = text.size();;) {
    const auto at = last_phrase(text.substr(0, end), "answer");
    if (at == kNone) return std::nullopt;
    auto rest = text.substr(at + std::string_view("answer").size());
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == '*'))
      rest.remove_prefix(1);
    if (rest.starts_with(':')) {
      auto line = rest.substr(1, rest.find('\n') - 1);
      while (line.starts_with('*') || line.starts_with(' '))
        line.remove_prefix(1);
      return trimmed(line);
    }
    end = at;
  }
}

std::optional<std::string_view> choice_letter(std::string_view text) {
  if (const auto answer = last_phrase(text, "answer"); answer != kNone) {
    for (auto at = answer; at < text.size(); ++at)
      if (is_choice(text, at)) return text.substr(at, 1);
  }
  for (auto at = text.size(); at-- > 0;)
    if (in_brackets(text, at) && is_choice(text, at)) return text.substr(at, 1);
  auto last = trimmed(text);
  while (!last.empty() && std::string_view(".)*$}").find(last.back()) != kNone)
    last.remove_suffix(1);
  if (last.empty() || !is_choice(last, last.size() - 1)) return std::nullopt;
  return last.substr(last.size() - 1);
}

std::optional<std::string_view> code_block(std::string_view text) {
  constexpr std::string_view kFence = "```";
  std::optional<std::string_view> last;
  for (auto open = text.find(kFence); open != kNone;) {
    const auto line = text.find('\n', open);
    const auto close = line == kNone ? kNone : text.find(kFence, line);
    if (close == kNone) break;
    last = text.substr(line + 1, close - line - 1);
    open = text.find(kFence, close + kFence.size());
  }
  return last;
}

}  // namespace aha::math
