#include "rewards/math/formulas.h"

#include <algorithm>
#include <array>

#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::size_t kLongestFormula = 4000;

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

/// "$120 ($100 + $20)": what stands between two dollar signs begins with an amount, and ends before the next one.
bool is_money(std::string_view between) {
  const auto count = [&](std::string_view brackets) {
    return std::count_if(between.begin(), between.end(),
                         [&](char c) { return brackets.find(c) != kNone; });
  };
  return is_digit(between[0]) && (is_space(between.back()) || count("([{") != count(")]}"));
}

/// What stands before and behind a formula. Places are asked for from the left, so that the next one is looked for once.
class Fence {
 public:
  Fence(std::string_view opening, std::string_view closing) : open(opening), close_(closing) {}

  const std::string_view open;

  /// The formula that opens at a place. A second opening before its end is where it begins instead.
  std::optional<Piece> piece(std::string_view text, std::size_t at) {
    const auto begin = at + open.size();
    const auto end = next(text, begin, close_, closing_);
    if (end == kNone || (open != close_ && next(text, begin, open, opening_) < end))
      return std::nullopt;
    const auto content = text.substr(begin, end - begin);
    if (!is_formula(content) || (open == "$" && is_money(content))) return std::nullopt;
    return Piece{at, end + close_.size(), content, true};
  }

 private:
  /// The first `mark` at or after `from`, one behind a backslash aside: \$5 is money.
  static std::size_t next(std::string_view text, std::size_t from, std::string_view mark,
                          std::size_t& known) {
    if (known != kNone && known < from) known = text.find(mark, from);
    while (known != kNone && mark[0] == '$' && text[known - 1] == '\\')
      known = text.find(mark, known + 1);
    return known;
  }

  std::string_view close_;
  std::size_t opening_ = 0;
  std::size_t closing_ = 0;
};

}  // namespace

bool is_proof_mark(const Piece& piece) {
  constexpr std::string_view kMarks[] = {"\\blacksquare", "\\square",    "\\Box",
                                         "\\qed",         "\\checkmark", "\\therefore"};
  return piece.formula && holds(kMarks, trimmed(piece.content));
}

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

Boxes boxes_of(std::string_view text) {
  Boxes boxes;
  for (std::size_t at = 0; (at = text.find('\\', at)) != kNone;) {
    const auto begin = at++;
    for (const std::string_view name : {"boxed", "fbox", "framebox"}) {
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
  std::array<Fence, 4> fences = {Fence{"$$", "$$"}, Fence{"$", "$"}, Fence{"\\(", "\\)"},
                                 Fence{"\\[", "\\]"}};
  std::vector<Piece> pieces;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '$' && text[at] != '\\') {
      ++at;
      continue;
    }
    if (text.substr(at).starts_with("\\$")) {
      at += 2;
      continue;
    }
    std::optional<Piece> formula;
    for (auto& fence : fences) {
      if (!formula && text.substr(at).starts_with(fence.open)) formula = fence.piece(text, at);
    }
    if (formula) pieces.push_back(*formula);
    at = formula ? formula->end : at + 1;
  }
  return pieces;
}

}  // namespace aha::math
