#include "rewards/math/prose.h"

#include <algorithm>

#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;

/// The formulas and spans from a place on.
std::vector<Piece> pieces_behind(std::string_view text, std::size_t from,
                                 const std::vector<Piece>& formulas, Keep keep) {
  std::vector<Piece> pieces;
  const auto add_spans = [&](std::size_t to) {
    if (to <= from) return;
    for (auto span : spans_of(text.substr(from, to - from), keep)) {
      span.begin += from;
      span.end += from;
      pieces.push_back(span);
    }
  };
  for (const auto& formula : formulas) {
    if (formula.end <= from) continue;
    add_spans(formula.begin);
    if (powered_unit(formula.content) < formula.content.size()) pieces.push_back(formula);
    from = formula.end;
  }
  add_spans(text.size());
  std::erase_if(pieces, [&](const Piece& piece) { return is_denied(text, piece); });
  return pieces;
}

}  // namespace

std::vector<Piece> pieces_of(std::string_view text, Keep keep) {
  // the last ones stand near the end, mostly
  constexpr std::size_t kTail = 1000;
  const auto formulas = formulas_of(text);
  if (keep == Keep::Last && text.size() > kTail) {
    const auto space = text.find_first_of(" \n", text.size() - kTail);
    if (space != kNone) {
      auto pieces = pieces_behind(text, space, formulas, keep);
      if (!pieces.empty()) return pieces;
    }
  }
  return pieces_behind(text, 0, formulas, keep);
}

}  // namespace aha::math
