#include "rewards/math/choice.h"
#include "rewards/math/extraction.h"
#include "rewards/math/formulas.h"
#include "rewards/math/places.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;

/// All that stands in the place of an answer that has ends: a tag, a box, a line.
std::optional<std::string_view> answer_place(std::string_view text, Extraction rule) {
  const bool any = rule == Extraction::Auto;
  if (rule == Extraction::AnswerLine) return answer_line(text);
  if (rule == Extraction::Whole) return text;
  const auto tag =
      any || rule == Extraction::AnswerTag ? last_tagged(text, "answer") : std::nullopt;
  if (any || tag || rule == Extraction::Boxed) {
    const auto boxes = boxes_of(tag.value_or(text)).pieces;
    if (!boxes.empty()) return boxes.back().content;
  }
  const auto mark = any || rule == Extraction::Hash ? text.rfind("####") : kNone;
  if (!tag && mark != kNone) return text.substr(mark + 4, text.find('\n', mark) - mark - 4);
  return tag;
}

}  // namespace

Extracted extracted_letter(std::string_view text, Extraction rule, bool bare) {
  auto answer = extracted_answer(text, rule, bare);
  if (answer.how == std::string_view(kTakenBack)) return answer;
  const auto narrow = narrowed(text);
  const auto part = answering_part(narrow ? *narrow : text);
  const bool any = rule == Extraction::Auto;
  if (!part || (answer.text.empty() && (!any || boxes_of(*part).open))) return answer;
  auto place = answer_place(*part, rule);
  const bool in_text = any || rule == Extraction::FinalAnswer || rule == Extraction::Last;
  if (!place && !in_text) place = answer.text;
  const auto letter = place ? choice_label(*place) : choice_letter(*part);
  if (letter && letter->empty()) return {{}, "several letters", false};
  if (letter) answer.text = std::string(*letter);
  if (letter && !place) answer.how = "choice";
  return answer;
}

}  // namespace aha::math
