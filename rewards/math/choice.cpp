#include "rewards/math/choice.h"

#include <algorithm>

#include "rewards/math/places.h"
#include "rewards/math/prose.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;

bool in_word(char c) {
  return is_letter(c) || is_digit(c) || c == '\'' || c == '_' || c == '\\';
}

bool is_letter_alone(std::string_view text, std::size_t at) {
  if (text[at] < 'A' || text[at] > 'J') return false;
  if (at > 0 && in_word(text[at - 1])) return false;
  if (at + 1 == text.size()) return true;
  if (in_word(text[at + 1]) && text[at + 1] != '\\') return false;
  // "A cat", "I think"
  if (text[at] != 'A' && text[at] != 'I') return true;
  const auto rest = text.substr(at + 1);
  if (rest.size() < 2 || rest[0] != ' ' || !is_letter(rest[1])) return true;
  return text[at] == 'A' &&
         (rest.starts_with(" or ") || rest.starts_with(" and ") || rest.starts_with(" is "));
}

bool in_brackets(std::string_view text, std::size_t at) {
  return at > 0 && text[at - 1] == '(' && at + 1 < text.size() && text[at + 1] == ')';
}

/// The first letter from a place on that nothing denies.
std::size_t next_letter(std::string_view text, std::size_t from) {
  for (auto at = from; at < text.size(); ++at) {
    if (is_letter_alone(text, at) && !is_denied(text, {at, at + 1})) return at;
  }
  return kNone;
}

/// The bytes of a command that says nothing: \\text, \\quad, "\\ ", a line's mark of a formula. 0 for \\frac and its like.
std::size_t silent_command(std::string_view text) {
  constexpr std::string_view kSilent[] = {"mathrm", "mathbf", "mathsf", "boxed",
                                          "fbox",   "quad",   "qquad",  "left",
                                          "right",  "bf",     "rm",     "displaystyle"};
  auto end = std::size_t{1};
  while (end < text.size() && is_letter(text[end]))
    ++end;
  const auto name = text.substr(1, end - 1);
  if (name.empty()) return std::min<std::size_t>(2, text.size());
  return is_text_command(name) || holds(kSilent, name) ? end : 0;
}

/// True of what stands between two letters of a row: spaces, brackets, semicolons and commands that say nothing.
bool is_row(std::string_view gap) {
  for (std::size_t at = 0; at < gap.size();) {
    if (gap[at] == '\\') {
      const auto size = silent_command(gap.substr(at));
      if (size == 0) return false;
      at += size;
    } else if (std::string_view(" ()[]{}*;$").find(gap[at++]) == kNone) {
      return false;
    }
  }
  return true;
}

/// True of what stands between two letters that are offered together: "or", "and", a comma.
bool joins(std::string_view gap) {
  bool words = false;
  for (std::size_t i = 0; i < gap.size(); ++i) {
    if (!is_letter(gap[i])) continue;
    auto end = i;
    while (end < gap.size() && is_letter(gap[end]))
      ++end;
    const auto word = gap.substr(i, end - i);
    if (word == "or" || word == "and") return true;
    words = true;
    i = end;
  }
  return !words && gap.find_first_of(",/&") != kNone;
}

/// A letter that no word follows, of which it would be a part: not "A is wrong".
bool stands_apart(std::string_view text, std::size_t at) {
  const auto next = text.find_first_not_of(" )]}*$", at + 1);
  return next == kNone || !is_letter(text[next]) || is_letter_alone(text, next);
}

/// "A or B", "A, B", "(A) 3 and (B) 4", "(A) (B)", "A B C".
bool is_one_of_several(std::string_view text, std::size_t at) {
  constexpr std::size_t kReach = 40;
  const auto rest = text.substr(at + 1, kReach);
  const auto next = next_letter(rest, 0);
  if (next != kNone) {
    const auto gap = rest.substr(0, next);
    if (joins(gap)) return true;
    if (is_row(gap) && rest[next] != text[at] && stands_apart(rest, next)) return true;
  }
  const auto from = at - std::min(at, kReach);
  for (auto before = at; before-- > from;) {
    if (!is_letter_alone(text, before)) continue;
    const auto gap = text.substr(before + 1, at - before - 1);
    return joins(gap) || (is_row(gap) && text[before] != text[at]);
  }
  return false;
}

/// "(A) 1 (B) 2 (C) 3": the options, of which none is chosen.
bool ends_listing(std::string_view text, std::size_t at) {
  constexpr std::size_t kLongestOption = 100;
  const auto from = at - std::min(at, kLongestOption);
  for (auto before = at; before-- > from;) {
    if (!in_brackets(text, before) || !is_letter_alone(text, before)) continue;
    const auto option = text.substr(before + 2, at - before - 3);
    const bool said = option.find(". ") != kNone || option.find(" is ") != kNone ||
                      option.find(" so ") != kNone || option.find('\n') != kNone;
    return text[before] + 1 == text[at] && !said;
  }
  return false;
}

/// The last letter in brackets that nothing denies. kNone where the last sentence that has one denies all of its own, or
/// they are a listing; nothing where no letter stands in brackets.
std::optional<std::size_t> last_in_brackets(std::string_view text) {
  bool denied = false;
  for (auto at = text.size(); at-- > 0;) {
    if (denied && (text[at] == '\n' || text.substr(at).starts_with(". "))) return kNone;
    if (!in_brackets(text, at) || !is_letter_alone(text, at)) continue;
    if (!is_denied(text, {at, at + 1})) return ends_listing(text, at) ? kNone : at;
    denied = true;
  }
  return denied ? std::optional(kNone) : std::nullopt;
}

std::optional<std::string_view> sole(std::string_view text, std::size_t at) {
  if (is_one_of_several(text, at)) return std::nullopt;
  return text.substr(at, 1);
}

/// Where the last "answer" ends that is no closing tag and no "answer choices".
std::size_t after_answer(std::string_view text) {
  for (auto end = text.size();;) {
    const auto at = last_phrase(text.substr(0, end), "answer");
    if (at == kNone) return kNone;
    const auto behind = at + std::string_view("answer").size();
    const auto rest = trimmed(text.substr(behind, 10));
    const bool closing = at > 0 && text[at - 1] == '/';
    if (!closing && !rest.starts_with("choice") && !rest.starts_with("option")) return behind;
    end = at;
  }
}

/// Without brackets, commands that say nothing and marks, and the word "option", before a label.
std::size_t label_at(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const bool mark = is_space(text[at]) || std::string_view("($*{\"").find(text[at]) != kNone;
    const auto size = mark ? 1 : text[at] == '\\' ? silent_command(text.substr(at)) : 0;
    if (size == 0) break;
    at += size;
  }
  for (const std::string_view word : {"Option ", "option ", "Choice ", "choice ", "Answer: "}) {
    if (text.substr(at).starts_with(word))
      return at + word.size() + label_at(text.substr(at + word.size()));
  }
  return at;
}

}  // namespace

std::optional<std::string_view> choice_label(std::string_view answer) {
  const auto at = label_at(answer);
  if (at >= answer.size() || !is_letter_alone(answer, at)) return std::nullopt;
  if (is_one_of_several(answer, at)) return answer.substr(at, 0);
  const bool ends = at + 1 == answer.size();
  if (!ends && std::string_view(").:}*$,\"").find(answer[at + 1]) == kNone) return std::nullopt;
  return answer.substr(at, 1);
}

bool is_choice(std::string_view text) {
  const auto at = label_at(text);
  if (at >= text.size() || !is_letter_alone(text, at)) return false;
  return text.find_first_not_of(")}*$. ", at + 1) == kNone;
}

std::optional<std::string_view> choice_letter(std::string_view text) {
  if (const auto from = after_answer(text); from != kNone) {
    const auto at = next_letter(text, from);
    return at == kNone ? std::nullopt : sole(text, at);
  }
  for (const std::string_view word : {"option is", "choice is", "option", "choice"}) {
    const auto at = last_phrase(text, word);
    const auto from = at == kNone ? kNone : text.find_first_not_of(" (*", at + word.size());
    if (from != kNone && is_letter_alone(text, from)) return sole(text, from);
  }
  if (const auto at = last_in_brackets(text)) return *at == kNone ? std::nullopt : sole(text, *at);
  auto last = trimmed(text);
  while (!last.empty() && std::string_view(".)*$}").find(last.back()) != kNone)
    last.remove_suffix(1);
  if (!last.empty() && is_letter_alone(last, last.size() - 1))
    return is_denied(last, {last.size() - 1, last.size()}) ? std::nullopt
                                                           : sole(last, last.size() - 1);
  const auto label = choice_label(trimmed(text));
  return label && !label->empty() ? label : std::nullopt;
}

}  // namespace aha::math
