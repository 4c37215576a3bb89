#pragma once
#include <string_view>

#include "rewards/math/expression.h"

namespace aha::math {

/// The expression that a text of LaTeX or plain mathematics is, added to `tree`.
///
///   answer   = relation { separator relation }             two or more: List
///   relation = residue { ("=" | "<" | "in" | ...) residue }  two or more: Relation
///   residue  = union [ "(mod" sum ")" ]
///   union    = sum { ("union" | "intersection" | "minus") sum }
///   sum      = product { ("+" | "-" | plus-minus) product }
///   product  = signed { ["*" | "/" | mod] signed }         words after a factor: remarks.h
///   signed   = { "+" | "-" } power
///   power    = postfix [ "^" exponent ]
///   postfix  = atom { "!" | "%" | degree | prime | subscript }
///
/// Multiplication written without a sign binds like one with it: 1/2x is (1/2)x. A function without
/// brackets takes the numbers, letters and fractions that follow: \sin 2x + 1 is (\sin(2x)) + 1. A
/// whole number before a fraction of numerals is a mixed number: 2\frac{5}{8} is 21/8. Degrees are
/// dropped, but for those within a trigonometric function, which are pi/180.
///
/// Refusal, with why: anything else, more than 64 open brackets, more than kMostNodes parts.
Ref parsed(Tree& tree, std::string_view text);

}  // namespace aha::math
