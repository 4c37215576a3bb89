#include "rewards/math/places.h"

#include <algorithm>

#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;

/// Of one word: "answer is" is not in "answer isn't".
bool goes_on(std::string_view rest) {
  return !rest.empty() && (is_letter(rest[0]) || rest[0] == '\'' || rest.starts_with("\u2019"));
}

}  // namespace

std::size_t last_phrase(std::string_view text, std::string_view phrase) {
  for (auto at = text.size(); at-- > 0;) {
    if (at + phrase.size() > text.size() || lower(text[at]) != phrase[0]) continue;
    const auto here = text.substr(at, phrase.size());
    if (std::equal(here.begin(), here.end(), phrase.begin(),
                   [](char a, char b) { return lower(a) == b; }) &&
        !goes_on(text.substr(at + phrase.size())))
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
      rest.remove_prefix(std::min(rest.find_first_not_of("* \t\r\n", 1), rest.size()));
      return trimmed(rest.substr(0, rest.find('\n')));
    }
    end = at;
  }
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
