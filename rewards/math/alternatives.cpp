#include "rewards/math/alternatives.h"

#include <algorithm>

#include "rewards/math/solution.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;

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
      else if (c != '\\' && word != "negative")
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

/// The name that an answer has: "x" of "x = 2", of "x = \\boxed{2}" and of "$x = 2$"; the place where it begins.
struct Name {
  std::string_view text{};
  std::size_t begin = 0;
};

/// A letter, or a command that stands for one, with an index: "x", "x_1", "\\theta".
bool is_name(std::string_view text) {
  if (text.empty()) return false;
  const auto end = std::min(text.find('_'), text.size());
  const auto letters = text.substr(text[0] == '\\' ? 1 : 0, end - (text[0] == '\\' ? 1 : 0));
  return (letters.size() == 1 || text[0] == '\\') &&
         std::all_of(letters.begin(), letters.end(), is_letter);
}

/// What stands before the equals sign that ends a text.
Name name_before(std::string_view text) {
  const auto end = text.find_last_not_of(" $(\\");
  if (end == kNone || text[end] != '=') return {};
  text = trimmed(text.substr(0, end));
  const auto from = text.find_last_of(" $(,;*\n") + 1;
  return is_name(text.substr(from)) ? Name{text.substr(from), from} : Name{};
}

Name name_of(std::string_view text, const Piece& piece) {
  const auto whole = text.substr(piece.begin, piece.end - piece.begin);
  const auto said = piece.formula ? piece.content : whole;
  const auto equals = said.find('=');
  if (equals != kNone) {
    const auto name = trimmed(said.substr(0, equals));
    return is_name(name) ? Name{name, piece.begin} : Name{};
  }
  constexpr std::size_t kReach = 24;
  const auto from = piece.begin - std::min(piece.begin, kReach);
  auto name = name_before(text.substr(from, piece.begin - from));
  name.begin += from;
  return name;
}

/// x and y: coordinates, not the steps of a calculation.
bool follows(const Name& before, const Name& behind) {
  return before.text.size() == 1 && behind.text.size() == 1 && behind.text[0] == before.text[0] + 1;
}

/// "k - 1 = 1" before "k = 2": an equation that is no value itself, and holds at the one behind it.
bool is_step(std::string_view text, const Piece& before, const Piece& behind) {
  constexpr std::size_t kLongest = 200;
  const auto whole = [&](const Piece& piece) {
    auto said = trimmed(text.substr(piece.begin, piece.end - piece.begin));
    if (piece.formula) said = trimmed(piece.content);
    while (!said.empty() && std::string_view(".,;").find(said.back()) != kNone)
      said.remove_suffix(1);
    return said;
  };
  const auto equation = whole(before);
  const auto value = whole(behind);
  return std::max(equation.size(), value.size()) <= kLongest && equation.find('=') != kNone &&
         value.find('=') != kNone && name_of(text, before).text.empty() &&
         is_solved_by(equation, value);
}

/// What stands between two pieces, without the name of the second.
std::string_view between(std::string_view text, const Piece& before, const Piece& behind) {
  const auto a = name_of(text, before);
  const auto b = name_of(text, behind);
  const bool named = !a.text.empty() && (a.text == b.text || follows(a, b));
  const auto end = named ? std::max(b.begin, before.end) : behind.begin;
  return text.substr(before.end, end - before.end);
}

/// The names of all of some pieces, where at least two differ; else none: "x = 4 or x = 5" is 4 or 5.
std::vector<Name> names_of(std::string_view text, const std::vector<Piece>& pieces,
                           std::size_t first, std::size_t last) {
  std::vector<Name> names;
  bool differ = false;
  for (auto i = first; i <= last; ++i) {
    names.push_back(name_of(text, pieces[i]));
    if (names.back().text.empty()) return {};
    differ = differ || names.back().text != names[0].text;
  }
  return differ ? names : std::vector<Name>{};
}

/// A piece as an item of a list, with its name where that counts.
std::string item_of(const Piece& piece, std::string_view name) {
  std::string item(trimmed(piece.content));
  if (name.empty() || item.find('=') != std::string::npos) return item;
  return std::string(name) + " = " + item;
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
  const auto gap_behind = [&](std::size_t i) { return between(text, pieces[i], pieces[i + 1]); };
  const auto bond_behind = [&](std::size_t i) {
    if (pieces[i + 1].begin - pieces[i].end > kLongestGap) return Bond::None;
    if (!in_place && is_step(text, pieces[i], pieces[i + 1])) return Bond::None;
    const auto gap = gap_of(gap_behind(i));
    const bool beside = !gap.ends_sentence && gap.words == 0;
    if (beside && follows(name_of(text, pieces[i]), name_of(text, pieces[i + 1])))
      return Bond::Connective;
    return bond_of(gap, pieces[i], pieces[i + 1], in_place);
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
  const auto names = first < last ? names_of(text, pieces, first, last) : std::vector<Name>{};
  std::string list;
  for (auto i = first; i <= last; ++i) {
    if (i > first) {
      const auto gap = gap_of(gap_behind(i - 1));
      list += gap.alternative ? " or " : gap.connectives > 0 ? " and " : ", ";
    }
    list += item_of(pieces[i], names.empty() ? std::string_view() : names[i - first].text);
  }
  return list;
}

std::string joined_last(std::string_view text, const std::vector<Piece>& pieces, int words) {
  if (pieces.empty()) return {};
  constexpr std::size_t kLongestGap = 60;
  auto first = pieces.size() - 1;
  while (first > 0) {
    const auto& before = pieces[first - 1];
    if (pieces[first].begin - before.end > kLongestGap) break;
    const auto gap = gap_of(between(text, before, pieces[first]));
    if (gap.ends_sentence || gap.connectives > 1) break;
    // \boxed{1}\boxed{2} are two items, $1$ $2$ are not.
    const bool beside = words > 0 && gap.words == 0 && gap.commas == 0 && gap.connectives == 0;
    const bool connected =
        gap.connectives == 1 ? gap.words <= words : gap.commas > 0 && gap.words == 0;
    if (!beside && !connected) break;
    --first;
  }
  const auto last = pieces.size() - 1;
  const auto names = first < last ? names_of(text, pieces, first, last) : std::vector<Name>{};
  std::string joined;
  for (auto i = first; i <= last; ++i) {
    joined += i > first ? ", " : "";
    joined += item_of(pieces[i], names.empty() ? std::string_view() : names[i - first].text);
  }
  return joined;
}

}  // namespace aha::math
