#include "rewards/math/alternatives.h"

#include <algorithm>

#include "rewards/text_scan.h"

namespace aha::math {
namespace {

/// What stands between two answers.
struct Gap {
  int connectives = 0;       ///< "and", "or"
  bool alternative = false;  ///< "or" or "nor" is among them
  int commas = 0;
  int words = 0;  ///< others, commands aside
  bool ends_sentence = false;
};

Gap gap_of(std::string_view text) {
  Gap gap;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '\\' || is_letter(c)) {
      auto end = at + 1;
      while (end < text.size() && is_letter(text[end]))
        ++end;
      const auto word = text.substr(at, end - at);
      at = end;
      gap.alternative = gap.alternative || word == "or" || word == "nor";
      if (word == "and" || word == "or")
        ++gap.connectives;
      else if (c != '\\')
        ++gap.words;
      for (const std::string_view stop :
           {"so", "is", "thus", "hence", "therefore", "answer", "but", "not"}) {
        if (word == stop) gap.ends_sentence = true;
      }
      continue;
    }
    gap.commas += c == ',' || c == ';' ? 1 : 0;
    if (c == '.' || c == ':' || c == '=') gap.ends_sentence = true;
    if (c == '\n' && at + 1 < text.size() && text[at + 1] == '\n') gap.ends_sentence = true;
    ++at;
  }
  return gap;
}

/// The number or formula that ends last before `to`, or begins first after it.
std::optional<Piece> neighbour(std::string_view text, const std::vector<Piece>& formulas,
                               std::size_t to, bool before) {
  constexpr std::size_t kReach = 100;
  std::optional<Piece> formula;
  for (const auto& piece : formulas) {
    if (before ? piece.end <= to : (piece.begin >= to && !formula)) formula = piece;
  }
  auto from = before ? to - std::min(to, kReach) : to;
  auto end = before ? to : std::min(text.size(), to + kReach);
  if (formula && before) from = std::max(from, formula->end);
  if (formula && !before) end = std::min(end, formula->begin);
  auto number = before ? last_number_in(text.substr(from, end - from))
                       : first_number_in(text.substr(from, end - from));
  if (!number) return formula;
  return Piece{number->begin + from, number->end + from, number->content};
}

}  // namespace

std::optional<std::string_view> with_alternatives(std::string_view text,
                                                  const std::vector<Piece>& formulas,
                                                  const Piece& piece) {
  constexpr int kMostAlternatives = 16;
  constexpr int kWordsBetween = 2;
  // a formula's content is without its fences
  const auto is_number = [](const Piece& of) { return of.content.size() == of.end - of.begin; };
  bool numbers = is_number(piece);
  auto whole = piece;
  for (const bool before : {true, false}) {
    auto reached = piece;
    bool offered = false;
    for (int i = 0; i < kMostAlternatives; ++i) {
      const auto next = neighbour(text, formulas, before ? reached.begin : reached.end, before);
      if (!next) break;
      const auto from = before ? next->end : reached.end;
      const auto gap = gap_of(text.substr(from, (before ? reached.begin : next->begin) - from));
      const bool offers = gap.alternative && gap.words <= kWordsBetween;
      const bool listed = gap.commas > 0 && gap.words == 0 && gap.connectives == 0;
      if (gap.ends_sentence || !(offers || listed)) break;
      offered = offered || offers;
      numbers = numbers || is_number(*next);
      reached = *next;
    }
    if (!offered) continue;
    if (before) whole.begin = reached.begin;
    if (!before) whole.end = reached.end;
  }
  if (!numbers || (whole.begin == piece.begin && whole.end == piece.end)) return std::nullopt;
  return text.substr(whole.begin, whole.end - whole.begin);
}

std::string joined_last(std::string_view text, const std::vector<Piece>& pieces, int words) {
  if (pieces.empty()) return {};
  constexpr std::size_t kLongestGap = 60;
  auto first = pieces.size() - 1;
  while (first > 0) {
    const auto from = pieces[first - 1].end;
    const auto between = text.substr(from, pieces[first].begin - from);
    if (between.size() > kLongestGap) break;
    const auto gap = gap_of(between);
    if (gap.ends_sentence || gap.connectives > 1) break;
    // \boxed{1}\boxed{2} are two items, $1$ $2$ are not.
    const bool beside = words > 0 && gap.words == 0 && gap.commas == 0 && gap.connectives == 0;
    const bool connected =
        gap.connectives == 1 ? gap.words <= words : gap.commas > 0 && gap.words == 0;
    if (!beside && !connected) break;
    --first;
  }
  std::string joined;
  for (auto i = first; i < pieces.size(); ++i)
    joined += (i > first ? ", " : "") + std::string(trimmed(pieces[i].content));
  return joined;
}

}  // namespace aha::math
