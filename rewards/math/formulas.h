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
/// "10%", "1 000". One glued to a letter before it ("A2") is none, nor
/// is one after "not".
std::optional<Piece> last_number_in(std::string_view text);
std::optional<Piece> first_number_in(std::string_view text);

/// True where the word before it says that the answer is another: "not 42".
bool is_denied(std::string_view text, const Piece& piece);

}  // namespace aha::math
