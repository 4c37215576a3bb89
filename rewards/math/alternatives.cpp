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
           {"so", "thus", "hence", "therefore", "answer", "but", "not"}) {
        if (word == stop) gap.ends_sentence = true;
      }
      if (word == "is" && gap.connectives == 0) gap.ends_sentence = true;
      continue;
    }
    gap.commas += c == ',' || c == ';' ? 1 : 0;
    // "x = 1 and x = 2": behind "and" the name may be said again
    if (c == '.' || c == ':' || (c == '=' && gap.connectives == 0)) gap.ends_sentence = true;
    if (c == '\n' && at + 1 < text.size() && text[at + 1] == '\n') gap.ends_sentence = true;
    ++at;
  }
  return gap;
}

/// How the answer before a gap and the one behind it belong together.
enum class Bond { None, Comma, Connective };

/// What stands before its "=" is no part of it.
bool is_cut(const Piece& piece) {
  return !piece.formula && piece.content.size() < piece.end - piece.begin;
}

Bond bond_of(const Gap& gap, const Piece& before, const Piece& behind, bool in_place) {
  constexpr int kWordsOffered = 5;
  if (gap.ends_sentence) return Bond::None;
  if (gap.alternative) return gap.words <= kWordsOffered ? Bond::Connective : Bond::None;
  if (is_cut(behind) && !is_cut(before)) return Bond::None;
  if (gap.connectives == 1 && gap.words <= (in_place ? 1 : 0)) return Bond::Connective;
  if (gap.connectives > 0 || gap.words > 0 || gap.commas == 0) return Bond::None;
  return in_place || (before.formula && behind.formula) ? Bond::Connective : Bond::Comma;
}

}  // namespace

std::string with_beside(std::string_view text, const std::vector<Piece>& pieces, std::size_t at,
                        bool in_place) {
  constexpr std::size_t kLongestGap = 100;
  const auto gap_behind = [&](std::size_t i) {
    const auto from = pieces[i].end;
    return text.substr(from, pieces[i + 1].begin - from);
  };
  const auto bond_behind = [&](std::size_t i) {
    const auto gap = gap_behind(i);
    if (gap.size() > kLongestGap) return Bond::None;
    return bond_of(gap_of(gap), pieces[i], pieces[i + 1], in_place);
  };
  // commas alone join nothing: "5 apples, 3 pears"; with "and" or "or" they do
  auto first = at;
  bool joined = false;
  for (auto i = at; i > 0; --i) {
    const auto bond = bond_behind(i - 1);
    if (bond == Bond::None) break;
    // "x = 1, 2, 3"
    joined = joined || bond == Bond::Connective || (is_cut(pieces[i - 1]) && !is_cut(pieces[i]));
    if (joined) first = i - 1;
  }
  auto last = at;
  for (auto i = at; i + 1 < pieces.size(); ++i) {
    const auto bond = bond_behind(i);
    if (bond == Bond::None) break;
    if (bond == Bond::Connective) last = i + 1;
  }
  std::string list;
  for (auto i = first; i <= last; ++i) {
    if (i > first) {
      const auto gap = gap_of(gap_behind(i - 1));
      list += gap.alternative ? " or " : gap.connectives > 0 ? " and " : ", ";
    }
    list += trimmed(pieces[i].content);
  }
  return list;
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
