#include "rewards/math/prose.h"

#include <algorithm>

#include "rewards/math/numeral.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;

/// The word that ends at the end of a text; apostrophes belong to it, and what is not of ASCII as they may be.
std::string_view last_word(std::string_view text) {
  const auto in_word = [](char c) {
    return is_letter(c) || c == '\'' || static_cast<unsigned char>(c) > 127;
  };
  auto from = text.size();
  while (from > 0 && in_word(text[from - 1]))
    --from;
  return text.substr(from);
}

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
    pieces.push_back(formula);
    from = formula.end;
  }
  add_spans(text.size());
  std::erase_if(pieces, [&](const Piece& piece) { return is_denied(text, piece); });
  return pieces;
}

bool denies(std::string_view word) {
  return word == "no" || is_negation(word) || word.ends_with("n't") || word.ends_with("n\u2019t");
}

bool is_in(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
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

bool is_denied(std::string_view text, const Piece& piece) {
  constexpr std::size_t kReach = 48;
  constexpr int kMostWords = 3;
  const auto reach = std::min(piece.begin, kReach);
  auto before = text.substr(piece.begin - reach, reach);
  for (int i = 0; i < kMostWords; ++i) {
    while (!before.empty() && std::string_view(" $(*-\"").find(before.back()) != kNone)
      before.remove_suffix(1);
    const auto word = last_word(before);
    if (denies(word)) return true;
    if (word.empty() || is_in(word, {"so", "then", "thus", "hence", "therefore", "since", "because",
                                     "and", "if", "when"}))
      return false;
    before.remove_suffix(word.size());
    if (word == "but")
      return is_in(last_word(trimmed(before)), {"anything", "everything", "nothing"});
  }
  return false;
}

bool is_changed(std::string_view text, const Piece& piece) {
  constexpr std::size_t kReach = 24;
  const auto reach = std::min(piece.begin, kReach);
  const auto word = last_word(trimmed(text.substr(piece.begin - reach, reach)));
  if (is_in(word,
            {"than", "twice", "thrice", "half", "double", "triple", "minus", "negative", "plus"}))
    return true;
  const auto after = trimmed(text.substr(piece.end, kReach));
  for (const std::string_view compared : {"more than ", "less than "}) {
    if (after.starts_with(compared) && starts_numeral(after.substr(compared.size()))) return true;
  }
  auto end = std::size_t{0};
  while (end < after.size() && is_letter(after[end]))
    ++end;
  return is_in(after.substr(0, end), {"squared", "cubed", "factorial", "minus", "plus"});
}

}  // namespace aha::math
