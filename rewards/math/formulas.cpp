#include "rewards/math/formulas.h"

#include <algorithm>
#include <array>

#include "rewards/math/numeral.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::size_t kLongestFormula = 4000;

/// The end of {...} that begins at `open`, escaped braces aside.
std::size_t closing_brace(std::string_view text, std::size_t open) {
  int depth = 0;
  for (auto at = open; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '{') {
      ++depth;
    } else if (text[at] == '}' && --depth == 0) {
      return at;
    }
  }
  return kNone;
}

/// Prose between two dollar signs is no formula: two words of three letters, sqrt( and its like aside.
bool is_formula(std::string_view text) {
  if (text.empty() || text.size() > kLongestFormula || trimmed(text).empty()) return false;
  int words = 0;
  std::size_t letters = 0;
  bool command = false;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const char c = at < text.size() ? text[at] : ' ';
    if (c == '{' && command) {
      // \text{some words}
      const auto close = closing_brace(text, at);
      if (close == kNone) return false;
      at = close;
    }
    if (is_letter(c)) {
      ++letters;
      continue;
    }
    if (letters >= 3 && !command && c != '(') ++words;
    letters = 0;
    command = c == '\\';
    if (command) {
      while (at + 1 < text.size() && is_letter(text[at + 1]))
        ++at;
    }
  }
  return words < 2;
}

bool may_glue(char c) {
  return is_digit(c) || std::string_view("+-*/^().,%!=").find(c) != kNone;
}

/// A number together with the characters around it that make one expression.
Piece with_neighbours(std::string_view text, std::size_t begin, std::size_t end) {
  const auto number = Piece{begin, end, text.substr(begin, end - begin)};
  constexpr std::size_t kReach = 80;
  const auto least = begin > kReach ? begin - kReach : 0;
  while (begin > least && may_glue(text[begin - 1]))
    --begin;
  const auto most = std::min(text.size(), end + kReach);
  while (end < most && may_glue(text[end]))
    ++end;
  auto run = text.substr(begin, end - begin);
  if (const auto equals = run.rfind('='); equals != kNone && begin + equals < number.begin) {
    begin += equals + 1;
    run = text.substr(begin, end - begin);
  }
  while (!run.empty() && std::string_view(".,=!(+-*/^").find(run.back()) != kNone)
    run.remove_suffix(1);
  while (!run.empty() && std::string_view(".,)*/^=+!").find(run.front()) != kNone) {
    run.remove_prefix(1);
    ++begin;
  }
  const auto opened = std::count(run.begin(), run.end(), '(');
  const auto closed = std::count(run.begin(), run.end(), ')');
  const bool after_word = begin > 0 && (is_letter(text[begin - 1]) || is_digit(text[begin - 1]));
  if (opened != closed || run.find('=') != kNone || begin + run.size() < number.end ||
      (after_word && run.size() > number.content.size())) {
    // A sign alone may still belong to the number.
    const bool minus =
        number.begin > 0 && text[number.begin - 1] == '-' &&
        (number.begin == 1 || !(is_letter(text[number.begin - 2]) ||
                                is_digit(text[number.begin - 2]) || text[number.begin - 2] == ')'));
    const auto from = number.begin - (minus ? 1 : 0);
    return {from, number.end, text.substr(from, number.end - from)};
  }
  return {begin, begin + run.size(), run};
}

std::optional<Piece> number_in(std::string_view text, bool last) {
  std::optional<std::pair<std::size_t, std::size_t>> found;
  for (std::size_t at = 0; at < text.size();) {
    if (!starts_numeral(text.substr(at))) {
      ++at;
      continue;
    }
    const auto size = read_numeral(text.substr(at, 400), false).size;
    const bool glued = at > 0 && (is_letter(text[at - 1]) || text[at - 1] == '_');
    if (!glued && !is_denied(text, {at, at + size, {}})) {
      found = {at, at + size};
      if (!last) break;
    }
    at += std::max<std::size_t>(size, 1);
  }
  if (!found) return std::nullopt;
  auto piece = with_neighbours(text, found->first, found->second);
  for (const std::string_view ending : {" percent", " pct", " %", "\\%", " \\%", " thousand",
                                        " million", " billion", " trillion"}) {
    if (!text.substr(piece.end).starts_with(ending)) continue;
    piece.end += ending.size();
    piece.content = text.substr(piece.begin, piece.end - piece.begin);
    break;
  }
  return piece;
}

}  // namespace

bool is_denied(std::string_view text, const Piece& piece) {
  const auto reach = std::min<std::size_t>(piece.begin, 16);
  auto before = text.substr(piece.begin - reach, reach);
  while (!before.empty() && std::string_view(" $(*-\"").find(before.back()) != kNone)
    before.remove_suffix(1);
  auto from = before.size();
  while (from > 0 && (is_letter(before[from - 1]) || before[from - 1] == '\''))
    --from;
  return is_negation(before.substr(from));
}

Boxes boxes_of(std::string_view text) {
  Boxes boxes;
  for (std::size_t at = 0; (at = text.find('\\', at)) != kNone;) {
    const auto begin = at++;
    for (const std::string_view name : {"boxed", "fbox"}) {
      if (!text.substr(at).starts_with(name)) continue;
      const auto open = text.find_first_not_of(' ', at + name.size());
      if (open == kNone || text[open] != '{') continue;
      const auto close = closing_brace(text, open);
      if (close == kNone) {
        boxes.open = text.substr(open + 1);
        return boxes;
      }
      boxes.pieces.push_back({begin, close + 1, text.substr(open + 1, close - open - 1)});
      at = close + 1;
      break;
    }
  }
  return boxes;
}

std::vector<Piece> formulas_of(std::string_view text) {
  struct Fence {
    std::string_view open;
    std::string_view close;
  };
  constexpr std::array<Fence, 4> kFences = {Fence{"$$", "$$"}, Fence{"$", "$"}, Fence{"\\(", "\\)"},
                                            Fence{"\\[", "\\]"}};
  std::vector<Piece> pieces;
  std::array<std::size_t, 4> absent;
  absent.fill(kNone);
  for (std::size_t at = 0; at < text.size();) {
    bool found = false;
    if (text[at] == '\\' && text.substr(at).starts_with("\\$")) {
      at += 2;
      continue;
    }
    if (text[at] == '$' || text[at] == '\\') {
      for (std::size_t f = 0; f < kFences.size() && !found; ++f) {
        const auto& fence = kFences[f];
        if (!text.substr(at).starts_with(fence.open) || absent[f] <= at) continue;
        const auto begin = at + fence.open.size();
        auto close = text.find(fence.close, begin);
        while (close != kNone && fence.close[0] == '$' && text[close - 1] == '\\')
          close = text.find(fence.close, close + 1);  // \$5 is money
        if (close == kNone) {
          absent[f] = at;
          continue;
        }
        if (!is_formula(text.substr(begin, close - begin))) continue;
        pieces.push_back({at, close + fence.close.size(), text.substr(begin, close - begin)});
        at = close + fence.close.size();
        found = true;
      }
    }
    at += found ? 0 : 1;
  }
  return pieces;
}

std::optional<Piece> last_number_in(std::string_view text) {
  return number_in(text, true);
}

std::optional<Piece> first_number_in(std::string_view text) {
  return number_in(text, false);
}

}  // namespace aha::math
