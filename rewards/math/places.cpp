#include "rewards/math/places.h"

#include <algorithm>

#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::size_t kLongestFormula = 10000;

/// Of one word: "answer is" is not in "answer isn't".
bool goes_on(std::string_view rest) {
  return !rest.empty() && (is_letter(rest[0]) || rest[0] == '\'' || rest.starts_with("\u2019"));
}

/// The bytes of a <|name|> that a text begins with, 0 if it does not. The bars of "0<|y|<5" hold no name, and one
/// letter is none.
std::size_t special_token(std::string_view text) {
  constexpr std::size_t kLongestName = 64;
  if (!text.starts_with("<|")) return 0;
  auto end = std::size_t{2};
  const auto in_name = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  while (end < text.size() && end <= kLongestName + 2 && in_name(text[end]))
    ++end;
  return end >= 4 && text.substr(end).starts_with("|>") ? end + 2 : 0;
}

/// Whether a walk through a text stands within a formula: $...$, $$...$$, \(...\), \[...\] or an environment.
class Fences {
 public:
  bool open() const { return dollar_ || depth_ != 0; }
  /// At what a text begins with; true if that is a mark of two characters, which belong together.
  bool pass(std::string_view text) {
    if (text[0] != '$' && text[0] != '\\') return false;
    const auto mark = text.substr(0, 2);
    if (mark[0] == '$') dollar_ = !dollar_;
    if (mark == "\\(" || mark == "\\[" || text.starts_with("\\begin{")) ++depth_;
    if (mark == "\\)" || mark == "\\]" || text.starts_with("\\end{")) --depth_;
    return mark == "$$" || (mark.size() == 2 &&
                            std::string_view("()[]$\\").find(mark[1]) != kNone && mark[0] == '\\');
  }

 private:
  bool dollar_ = false;
  int depth_ = 0;
};

/// Up to the end of the sentence: a full stop before a space, or a line's end after content.
std::string_view sentence(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\n\r:*=");
  if (start == kNone) return {};
  const bool lines = text.substr(0, start).find('\n') != kNone;
  text = text.substr(start);
  if (lines && text.starts_with("- ")) text = trimmed(text.substr(2));  // of a list
  Fences fences;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (fences.pass(text.substr(at))) {
      ++at;
      continue;
    }
    if (text[at] == '.') {
      // "**The answer is 5.** "
      const auto next = text.find_first_not_of("*_\"", at + 1);
      if (next == kNone || is_space(text[next])) return text.substr(0, at);
    }
    // A line that ends within a formula goes on.
    const bool open = fences.open() && at <= kLongestFormula;
    if (text[at] == '\n' && !open) return text.substr(0, at);
  }
  return text;
}

/// A line of Markdown's marks alone, so far: "### ", "**".
bool begins_heading(std::string_view before) {
  const auto mark = before.find_last_not_of("#* ");
  return !before.empty() && (mark == kNone || before[mark] == '\n') && before.back() != '\n';
}

/// What follows the last "Answer:", or a heading "Answer".
std::optional<std::string_view> behind_answer(std::string_view text) {
  constexpr std::string_view kAnswer = "answer";
  for (auto end = text.size();;) {
    const auto at = last_phrase(text.substr(0, end), kAnswer);
    if (at == kNone) return std::nullopt;
    auto rest = text.substr(at + kAnswer.size());
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == '*'))
      rest.remove_prefix(1);
    if (rest.starts_with(':')) return rest.substr(1);
    if (rest.starts_with('\n') && begins_heading(text.substr(0, at))) return rest;
    end = at;
  }
}

/// "The final answer:" and the like, at the end of a text; not "My first answer:".
bool is_final_label(std::string_view text) {
  constexpr std::string_view kSaid[] = {"the",  "final", "answer", "so",
                                        "thus", "hence", "and",    "therefore"};
  const auto before = text.substr(text.rfind('\n', text.size() - 2) + 1);
  const auto line = lower(before.substr(before.rfind(". ") + 1));
  for (std::size_t at = 0; at < line.size();) {
    auto end = at;
    while (end < line.size() && is_letter(line[end]))
      ++end;
    if (end > at && !holds(kSaid, std::string_view(line).substr(at, end - at))) return false;
    if (is_digit(line[at])) return false;
    at = std::max(end, at + 1);
  }
  return true;
}

/// True of what explains an answer before it, or holds no number and no formula.
bool is_remark(std::string_view text) {
  constexpr std::string_view kHeadings[] = {
      "explanation", "check",     "checking", "verification", "steps",
      "reason",      "reasoning", "because",  "note",         "justification"};
  // "We used 3 facts"
  constexpr std::string_view kPast[] = {"used", "counted", "added", "multiplied", "divided"};
  if (text.find_first_of("0123456789$\\") == kNone) return true;
  const auto word_at = [&](std::size_t from) {
    auto end = from;
    while (end < text.size() && is_letter(text[end]))
      ++end;
    return lower(text.substr(from, end - from));
  };
  const auto from = std::min(text.find_first_not_of(" \t\r\n.*_#(:-"), text.size());
  const auto first = word_at(from);
  if (holds(kHeadings, first)) return true;
  return (first == "we" || first == "i") &&
         holds(kPast, word_at(std::min(from + first.size() + 1, text.size())));
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

std::optional<std::string_view> answering_part(std::string_view text) {
  const auto rest = after_ended_thought(text);
  if (!rest) return std::nullopt;
  text = trimmed(*rest);
  while (const auto size = special_token(text))
    text = trimmed(text.substr(size));
  for (auto at = text.find("<|"); at != kNone; at = text.find("<|", at + 1)) {
    if (special_token(text.substr(at)) > 0) return trimmed(text.substr(0, at));
  }
  return text;
}

std::optional<Said> said_behind(std::string_view text, std::string_view phrase) {
  const auto at = last_phrase(text, phrase);
  if (at == kNone) return std::nullopt;
  const auto rest = text.substr(at + phrase.size());
  const auto mark = rest.find_first_not_of(" *");
  return Said{sentence(rest), rest, mark != kNone && (rest[mark] == ':' || rest[mark] == '\n')};
}

std::optional<std::string_view> answer_line(std::string_view text) {
  auto rest = behind_answer(text);
  if (!rest) return std::nullopt;
  rest->remove_prefix(std::min(rest->find_first_not_of("* \t\r\n"), rest->size()));
  return trimmed(rest->substr(0, rest->find('\n')));
}

std::optional<Said> answer_sentence(std::string_view text) {
  const auto rest = behind_answer(text);
  const auto said = rest ? sentence(*rest) : std::string_view();
  if (said.empty()) return std::nullopt;
  const auto from = static_cast<std::size_t>(said.data() - text.data());
  const auto behind = text.substr(from + said.size());
  const auto label = text.substr(0, static_cast<std::size_t>(rest->data() - text.data()));
  return Said{said, behind, is_final_label(label) && is_remark(behind)};
}

bool begins_list(std::string_view behind) {
  const auto line = behind.substr(0, behind.find('\n'));
  return line.starts_with('.') && line.find_first_not_of(".*_ \t\r") != kNone;
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

bool is_words(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || std::string_view(" *_\"'`!.-").find(c) != kNone;
  });
}

std::string_view bare_words(std::string_view text) {
  constexpr std::string_view kMarks = " \t\r\n*_\"'`!.";
  constexpr std::string_view kQuotes[] = {"\u201C", "\u201D", "\u2018", "\u2019"};
  const auto without_marks = [&](std::string_view words) {
    const auto first = words.find_first_not_of(kMarks);
    if (first == kNone) return std::string_view();
    return words.substr(first, words.find_last_not_of(kMarks) + 1 - first);
  };
  text = without_marks(text);
  for (const auto quote : kQuotes) {
    if (text.starts_with(quote)) text = without_marks(text.substr(quote.size()));
    if (text.ends_with(quote)) text = without_marks(text.substr(0, text.size() - quote.size()));
  }
  for (const std::string_view article : {"a ", "an "}) {
    if (text.starts_with(article)) return text.substr(article.size());
  }
  return text;
}

}  // namespace aha::math
