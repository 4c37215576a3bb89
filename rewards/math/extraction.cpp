#include "rewards/math/extraction.h"

#include <algorithm>
#include <array>

#include "rewards/math/alternatives.h"
#include "rewards/math/equivalence.h"
#include "rewards/math/formulas.h"
#include "rewards/math/places.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::size_t kLongestAnswer = 10000;
constexpr int kWordsBetweenBoxes = 3;

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

/// Without thinking and special tokens; nothing where the thinking has not ended.
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

Extracted found(std::string_view text, const char* how, bool closed = false) {
  if (trimmed(text).empty()) return {{}, how, closed};
  return {std::string(trimmed(text)), how, closed};
}

/// "\boxed{28} pct" and "$28$ %", also with the formula ending between.
bool percent_follows(std::string_view rest) {
  rest = trimmed(rest);
  while (rest.starts_with('$') || rest.starts_with("\\)"))
    rest = trimmed(rest.substr(rest[0] == '$' ? 1 : 2));
  return rest.starts_with("pct") || rest.starts_with("percent") || rest.starts_with('%') ||
         rest.starts_with("\\%");
}

Extracted boxed(std::string_view text) {
  const auto boxes = boxes_of(text);
  if (boxes.open) return {{}, "a box that is not closed", false};
  if (boxes.pieces.empty()) return {{}, "no box", false};
  auto answer = found(joined_last(text, boxes.pieces, kWordsBetweenBoxes), "box", true);
  answer.percent = percent_follows(text.substr(boxes.pieces.back().end));
  return answer;
}

/// Without those that a "not" stands before.
std::vector<Piece> asserted_formulas(std::string_view text) {
  auto formulas = formulas_of(text);
  std::erase_if(formulas, [&](const Piece& piece) { return is_denied(text, piece); });
  return formulas;
}

/// The last formula with its like before it, or the last number, whichever ends later.
Extracted last_of(std::string_view text) {
  const auto formulas = asserted_formulas(text);
  const auto from = formulas.empty() ? 0 : formulas.back().end;
  if (auto number = last_number_in(text.substr(from))) {
    number = Piece{number->begin + from, number->end + from, number->content};
    return found(with_alternatives(text, formulas, *number).value_or(number->content),
                 "last number");
  }
  if (formulas.empty()) return {{}, "no formula and no number", false};
  if (const auto several = with_alternatives(text, formulas, formulas.back()))
    return found(*several, "last formula");
  auto answer = found(joined_last(text, formulas, 0), "last formula");
  answer.percent = percent_follows(text.substr(formulas.back().end));
  return answer;
}

Extracted first_of(std::string_view text) {
  const auto formulas = asserted_formulas(text);
  const auto number = first_number_in(text);
  if (formulas.empty() && !number) {
    const auto words = trimmed(text);
    if (words.size() > 60) return {{}, "no formula and no number", false};
    return found(words, "final answer");
  }
  if (formulas.empty() || (number && number->begin < formulas[0].begin))
    return found(with_alternatives(text, formulas, *number).value_or(number->content),
                 "final answer");
  if (const auto several = with_alternatives(text, formulas, formulas[0]))
    return found(*several, "final answer");
  // Those that "and" joins to the first.
  for (auto size = formulas.size(); size > 1; --size) {
    const std::vector<Piece> head(formulas.begin(),
                                  formulas.begin() + static_cast<std::ptrdiff_t>(size));
    const auto joined = joined_last(text, head, 0);
    if (joined.starts_with(std::string(trimmed(formulas[0].content)) + ", "))
      return found(joined, "final answer");
    if (formulas.size() > 8) break;
  }
  return found(formulas[0].content, "final answer");
}

/// Up to the end of the sentence: a full stop before a space, or a line's end after content.
std::string_view sentence(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\n\r:*=");
  if (start == kNone) return {};
  text = text.substr(start);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool stop = text[at] == '.' && (at + 1 == text.size() || is_space(text[at + 1]));
    if (!stop && text[at] != '\n') continue;
    // A line that ends within a formula goes on.
    const auto before = text.substr(0, at);
    const bool open = std::count(before.begin(), before.end(), '$') % 2 == 1 ||
                      count_of(before, "\\[") != count_of(before, "\\]");
    if (stop || !open) return before;
    if (at > kLongestAnswer) return before;
  }
  return text;
}

Extracted final_answer(std::string_view text) {
  const auto is_at = last_phrase(text, "answer is");
  const auto final_at = last_phrase(text, "final answer");
  if (is_at != kNone) {
    auto answer = first_of(sentence(text.substr(is_at + 9)));
    if (!answer.text.empty()) return answer;
  }
  if (final_at != kNone) {
    auto answer = last_of(sentence(text.substr(final_at + 12)));
    answer.how = "final answer";
    if (!answer.text.empty()) return answer;
  }
  return {{}, "no final answer", false};
}

Extracted hash(std::string_view text) {
  const auto mark = text.rfind("####");
  if (mark == kNone) return {{}, "no ####", false};
  const auto rest = trimmed(text.substr(mark + 4));
  return found(rest.substr(0, rest.find('\n')), "####");
}

Extracted whole(std::string_view text) {
  if (text.size() > kLongestAnswer) return {{}, "too long to be an answer", false};
  return found(text, "whole");
}

/// Within a tag or a text that is the answer alone.
Extracted inside(std::string_view text, bool prose) {
  if (auto box = boxed(text); !box.text.empty() || box.how != std::string_view("no box"))
    return box;
  for (const std::string_view command : {"\\text{", "\\mbox{", "\\textbf{"}) {
    if (text.starts_with(command) && text.find('}') == text.size() - 1) return whole(text);
  }
  const auto formulas = formulas_of(text);
  const bool all = formulas.size() == 1 && formulas[0].begin == 0 &&
                   trimmed(text.substr(formulas[0].end)).size() <= 1;
  if (!formulas.empty() && !all) return last_of(text);
  if (is_mathematics(text)) return whole(text);
  const bool digits = std::any_of(text.begin(), text.end(), is_digit);
  if (!digits || !prose) return whole(text);
  return last_of(text);
}

Extracted tagged(std::string_view text) {
  const auto answer = last_tagged(text, "answer");
  if (!answer) return {{}, "no closed <answer>", false};
  auto extracted = inside(trimmed(*answer), true);
  extracted.how = extracted.text.empty() ? extracted.how : "answer tag";
  extracted.closed = true;
  return extracted;
}

/// One of places.h.
Extracted at_place(std::optional<std::string_view> place, const char* how, const char* why_not) {
  return place ? found(*place, how) : Extracted{{}, why_not, false};
}

Extracted automatic(std::string_view text, bool bare) {
  if (auto answer = tagged(text); !answer.text.empty()) return answer;
  if (auto box = boxed(text); !box.text.empty() || box.how != std::string_view("no box"))
    return box;
  if (auto marked = hash(text); !marked.text.empty()) return marked;
  if (auto last = final_answer(text); !last.text.empty()) return last;
  if (bare && text.size() <= kLongestAnswer) return inside(text, true);
  return last_of(text);
}

}  // namespace

Extracted extracted_answer(std::string_view text, Extraction rule, bool bare) {
  const auto narrow = narrowed(text);
  const auto part = answering_part(narrow ? *narrow : text);
  if (!part) return {{}, "the thinking has not ended", false};
  if (part->empty()) return {{}, "nothing there", false};
  switch (rule) {
    case Extraction::Auto:
      return automatic(*part, bare);
    case Extraction::Boxed:
      return boxed(*part);
    case Extraction::AnswerTag:
      return tagged(*part);
    case Extraction::Hash:
      return hash(*part);
    case Extraction::FinalAnswer:
      return final_answer(*part);
    case Extraction::Last:
      return last_of(*part);
    case Extraction::Whole:
      return whole(*part);
    case Extraction::AnswerLine:
      return at_place(answer_line(*part), "answer line", "no line 'Answer: ...'");
    case Extraction::Choice:
      return at_place(choice_letter(*part), "choice", "no letter of a choice");
    case Extraction::CodeBlock:
      return at_place(code_block(*part), "code block", "no closed block of code");
  }
  return {};
}

std::span<const ExtractionRule> extraction_rules() {
  static constexpr std::array kRules = {
      ExtractionRule{"auto", Extraction::Auto},
      ExtractionRule{"boxed", Extraction::Boxed},
      ExtractionRule{"answer_tag", Extraction::AnswerTag},
      ExtractionRule{"hash", Extraction::Hash},
      ExtractionRule{"final_answer", Extraction::FinalAnswer},
      ExtractionRule{"last", Extraction::Last},
      ExtractionRule{"whole", Extraction::Whole},
      ExtractionRule{"answer_line", Extraction::AnswerLine},
      ExtractionRule{"choice", Extraction::Choice},
      ExtractionRule{"code_block", Extraction::CodeBlock},
      ExtractionRule{"hendrycks_math", Extraction::Boxed},
      ExtractionRule{"qwen_math", Extraction::Boxed},
      ExtractionRule{"gsm8k", Extraction::Hash},
      ExtractionRule{"minerva", Extraction::FinalAnswer},
      ExtractionRule{"dapo", Extraction::AnswerLine},
      ExtractionRule{"simple_evals", Extraction::AnswerLine},
      ExtractionRule{"open_reasoner_zero", Extraction::AnswerTag},
      ExtractionRule{"oat", Extraction::AnswerTag},
      ExtractionRule{"mmlu", Extraction::Choice},
  };
  return kRules;
}

Extracted extracted_gold(std::string_view text) {
  auto answer = extracted_answer(text, Extraction::Auto, true);
  if (const auto boxes = boxes_of(text); boxes.open && answer.text.empty())
    return found(*boxes.open, "box");
  return answer;
}

}  // namespace aha::math
