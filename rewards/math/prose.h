#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "rewards/math/formulas.h"

namespace aha::math {

// Mathematics that stands in running text without the marks of a formula.

/// Which of many spans are kept.
enum class Keep { First, Last };

/// The longest spans of signs, numbers, letters and brackets that hold a number, in order, at most 64: "2/3", "3x + 5",
/// "(1, 2)", "x > 5", "10 %", "3 1/2". What follows the last "=" of one is its content. A number glued to a letter
/// before it ("A2") is none. Whether a span is mathematics, the parser says: a number is never cut out of what it cannot
/// read. Linear in the text.
std::vector<Piece> spans_of(std::string_view text, Keep keep);

/// The bytes of a unit with a power that a text begins with, such as "cm^2" and "kg/m^3"; of one letter alone it may as well
/// be a product. 0 where there is none.
std::size_t powered_unit(std::string_view text);

/// The formulas of a text and the spans between them, in order, without those that are denied.
std::vector<Piece> pieces_of(std::string_view text, Keep keep);

/// True where the words before it say that the answer is another: "not 42", "not equal to 42".
bool is_denied(std::string_view text, const Piece& piece);

/// True where words beside it make another number or statement of it: "twice 6", "the root of 6", "at most 6", "6 out of
/// 10", "6 and a half", "6 feet 3 inches", "6 if x > 0".
bool is_changed(std::string_view text, const Piece& piece);

/// "negative 7"
bool is_negative(std::string_view text, const Piece& piece);

/// True of an equation that says where a value before it is taken, "the minimum is 12, attained at x = 3", and of the 13 of
/// "10 when divided by 13".
bool is_condition(std::string_view text, const Piece& value, const Piece& piece);

}  // namespace aha::math
