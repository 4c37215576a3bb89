#include "rewards/math/extraction.h"

#include <algorithm>

#include "rewards/math/alternatives.h"
#include "rewards/math/choice.h"
#include "rewards/math/equivalence.h"
#include "rewards/math/formulas.h"
#include "rewards/math/places.h"
#include "rewards/math/prose.h"
#include "rewards/math/remarks.h"
#include "rewards/math/retraction.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::size_t kLongestAnswer = 10000;
constexpr int kWordsBetweenBoxes = 3;
constexpr const char* kLastNumber = "last number";
constexpr const char* kChanged = "a number that a word beside it changes";

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

Extracted boxed(std::string_view text, const Boxes& boxes) {
  if (boxes.open) return {{}, "a box that is not closed", false};
  if (boxes.pieces.empty()) return {{}, "no box", false};
  auto answer = found(joined_last(text, boxes.pieces, kWordsBetweenBoxes), "box", true);
  answer.percent = percent_follows(text.substr(boxes.pieces.back().end));
  return answer;
}

Extracted boxed(std::string_view text) {
  return boxed(text, boxes_of(text));
}

/// One of the pieces of a text, with those that belong beside it.
Extracted chosen(std::string_view text, const std::vector<Piece>& pieces, std::size_t at,
                 const char* how, bool in_place) {
  const auto& piece = pieces[at];
  if (is_changed(text, piece)) return {{}, kChanged, false};
  auto list = with_beside(text, pieces, at, in_place);
  if (is_negative(text, piece)) {
    if (!is_digit(piece.content[0]) || list != piece.content) return {{}, kChanged, false};
    list = std::string(1, '-').append(list);
  }
  auto answer = found(list, how);
  if (is_taken_back(text.substr(piece.end), answer.text)) return {{}, kTakenBack, false};
  answer.percent = piece.formula && percent_follows(text.substr(piece.end));
  return answer;
}

/// The last formula or number, those in a remark only where there is no other.
Extracted last_of(std::string_view text) {
  auto pieces = pieces_of(text, Keep::Last);
  if (pieces.empty()) return {{}, "no formula and no number", false};
  while (pieces.size() > 1 && is_proof_mark(pieces.back()))
    pieces.pop_back();
  const auto last = std::find_if_not(pieces.rbegin(), pieces.rend(),
                                     [](const Piece& piece) { return piece.aside; });
  auto at = last == pieces.rend() ? pieces.size() - 1
                                  : static_cast<std::size_t>(pieces.rend() - last) - 1;
  while (at > 0 && is_condition(text, pieces[at - 1], pieces[at]))
    --at;
  return chosen(text, pieces, at, pieces[at].formula ? "last formula" : kLastNumber, false);
}

Extracted a_few(std::string_view words, const char* how) {
  constexpr std::size_t kLongestWords = 60;
  if (words.size() > kLongestWords) return {{}, "no formula and no number", false};
  return found(words, how);
}

/// The first formula or number, else a few words.
Extracted first_of(std::string_view text, bool words) {
  const auto pieces = pieces_of(text, Keep::First);
  if (!pieces.empty()) return chosen(text, pieces, 0, "final answer", true);
  if (!words) return {{}, "no formula and no number", false};
  return a_few(bare_words(text), "final answer");
}

/// "The largest $n$ is 34": what "is" says, where a text begins with words.
std::string_view predicate(std::string_view text) {
  const auto pieces = pieces_of(text, Keep::First);
  const auto is_at = text.find(" is ");
  if (pieces.empty() || is_at == kNone || pieces.back().begin < is_at) return text;
  const auto before = text.substr(0, pieces[0].begin);
  return std::any_of(before.begin(), before.end(), is_letter) ? text.substr(is_at + 4) : text;
}

/// Also an answer that words make another one, or take back: what stands elsewhere is none in its place.
bool is_said(const Extracted& answer) {
  return !answer.text.empty() || answer.how == std::string_view(kChanged) ||
         answer.how == std::string_view(kTakenBack);
}

/// An answer, unless the text behind it takes it back.
Extracted kept(Extracted answer, std::string_view behind) {
  if (answer.text.empty() || !is_taken_back(behind, answer.text)) return answer;
  return {{}, kTakenBack, false};
}

/// What is said behind the last "answer is", or "answer should be" and a number.
Extracted answer_is(std::string_view text) {
  if (last_phrase(text, "answer") == kNone) return {};
  const auto said = said_behind(text, "answer is");
  for (const std::string_view phrase : {"answer should be", "answer would be"}) {
    const auto later = said_behind(said ? said->rest : text, phrase);
    if (!later) continue;
    if (auto answer = first_of(later->sentence, false); is_said(answer))
      return kept(std::move(answer), later->rest);
  }
  return said ? kept(first_of(said->sentence, true), said->rest) : Extracted{};
}

/// Words without a formula or number are an answer behind "answer is" and "Final answer:".
Extracted final_answer(std::string_view text) {
  if (auto answer = answer_is(text); is_said(answer)) return answer;
  if (const auto said = said_behind(text, "final answer")) {
    auto answer = first_of(predicate(said->sentence), said->marked);
    if (!answer.text.empty()) return kept(std::move(answer), said->rest);
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

/// True of a text that is written as mathematics, or holds several numbers: one of them would be another answer.
bool is_torn(std::string_view text) {
  if (text.size() > kLongestAnswer) return false;
  if (spans_of(text, Keep::First).size() > 1 || text.find("...") != kNone) return true;
  return text.find_first_of("\\+*/^=<>()[]{}|_") != kNone;
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

Extracted on_answer_line(std::string_view text) {
  const auto line = answer_line(text);
  if (!line) return {{}, "no line 'Answer: ...'", false};
  auto answer = inside(is_words(*line) ? bare_words(*line) : *line, true);
  if (!answer.text.empty()) answer.how = "answer line";
  return answer;
}

/// "km/h", "eggs", or nothing but marks.
bool is_unit_behind(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || std::string_view(" /*_$%").find(c) != kNone;
  });
  const auto words = plain_remark(text);
  return plain && is_unit_name(words) && !changes_number_before(words);
}

/// A formula or number that is all of the sentence behind "Answer:", a unit aside, where a remark alone stands below.
Extracted number_on_answer_line(std::string_view text) {
  const auto said = answer_sentence(text);
  if (!said || !said->marked) return {};
  const auto pieces = pieces_of(said->sentence, Keep::First);
  if (pieces.size() != 1) return {};
  const auto before = said->sentence.substr(0, pieces[0].begin);
  const auto behind = said->sentence.substr(pieces[0].end);
  if (before.find_first_not_of("*_$ ") != kNone || !is_unit_behind(behind)) return {};
  // "1. April: 48"
  if (!pieces[0].formula && begins_list(said->rest)) return {};
  auto answer = chosen(said->sentence, pieces, 0, "answer line", true);
  return is_taken_back(said->rest, answer.text) ? Extracted{} : answer;
}

/// Words behind "Answer:" where no number follows. One there is the last anyway, or belongs to what is worked out.
Extracted words_on_answer_line(std::string_view text) {
  const auto line = answer_line(text);
  if (!line || !is_words(*line)) return {};
  const auto rest = text.substr(static_cast<std::size_t>(line->data() - text.data()));
  if (std::any_of(rest.begin(), rest.end(), is_digit)) return {};
  return a_few(bare_words(*line), "answer line");
}

Extracted automatic(std::string_view text, bool bare) {
  if (auto answer = tagged(text); !answer.text.empty()) return answer;
  const auto boxes = boxes_of(text);
  if (boxes.open || !boxes.pieces.empty()) {
    const auto end = boxes.pieces.empty() ? text.size() : boxes.pieces.back().end;
    return kept(boxed(text, boxes), text.substr(end));
  }
  if (auto marked = hash(text); !marked.text.empty()) return marked;
  if (auto last = final_answer(text); is_said(last)) return last;
  if (auto line = words_on_answer_line(text); !line.text.empty()) return line;
  if (auto line = number_on_answer_line(text); !line.text.empty()) return line;
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
      return on_answer_line(*part);
    case Extraction::Choice:
      return at_place(choice_letter(*part), "choice", "no letter of a choice");
    case Extraction::CodeBlock:
      return at_place(code_block(*part), "code block", "no closed block of code");
  }
  return {};
}

Extracted extracted_gold(std::string_view text) {
  auto answer = extracted_answer(text, Extraction::Auto, true);
  if (answer.how == std::string_view(kLastNumber) && is_torn(text)) return whole(text);
  if (answer.how == std::string_view(kChanged)) return whole(text);
  if (const auto boxes = boxes_of(text); boxes.open && answer.text.empty())
    return found(*boxes.open, "box");
  return answer;
}

}  // namespace aha::math
