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
};

/// What stands in each \boxed{} and \fbox{} of a text, in order; of one that is not closed, all
/// that follows.
struct Boxes {
  std::vector<Piece> pieces;
  std::optional<std::string_view> open;
};
Boxes boxes_of(std::string_view text);

/// Formulas between $, $$, \( and \[ and their ends, in order. A dollar sign before words is money.
std::vector<Piece> formulas_of(std::string_view text);

/// The last number outside mathematics with what belongs to it without a space: "2/3", "3+2",
/// "10%", "1 000". One glued to a letter before it ("A2") is none.
std::optional<Piece> last_number_in(std::string_view text);
std::optional<Piece> first_number_in(std::string_view text);

/// The last piece, together with those before it that one "and", "or", comma or semicolon
/// separates, joined by commas. `words`: how many other words may stand between.
std::string joined_last(std::string_view text, const std::vector<Piece>& pieces, int words);

}  // namespace aha::math
