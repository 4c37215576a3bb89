#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aha::math {

/// A place in a text and what it holds.
struct Piece {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view content{};
  bool formula = false;  ///< between marks of one; the others stand in running text
  bool aside = false;    ///< in brackets that hold words: "26 (13 pairs)"
};

/// What stands in each \boxed{}, \fbox{} and \framebox{} of a text, in order; of one that is not closed, all
/// that follows.
struct Boxes {
  std::vector<Piece> pieces;
  std::optional<std::string_view> open;
};
Boxes boxes_of(std::string_view text);

/// The end of {...} that begins at `open`, escaped braces aside; npos where it has none.
std::size_t closing_brace(std::string_view text, std::size_t open);

/// Formulas between $, $$, \( and \[ and their ends, in order. A dollar sign before words is money, and so is one
/// directly before a digit where a space stands before the next one, or brackets stay open.
std::vector<Piece> formulas_of(std::string_view text);

/// The sign that ends a proof and its like, which says nothing behind an answer.
bool is_proof_mark(const Piece& piece);

}  // namespace aha::math
