#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rewards/math/evaluate.h"

namespace aha::math {

/// What `name = value`, or `value = name`, says: of a chain the last value that is not only about it, of x in S the set. Nothing for an equation
/// between what are no names: x, x_1, AB, |AB|, f(x), (x, y), words, or an expression without letters (2 + 2 = 4).
struct Assignment {
  Ref name = 0;
  Ref value = 0;
};
std::optional<Assignment> assignment_of(const Tree& tree, Ref ref);
/// A^{-1} = [...], A^T = [...], u + v = (1, 2): a matrix or vector, beside a bare one what a question asks for.
std::optional<Assignment> vector_equation(const Tree& tree, Ref ref);
std::optional<Ref> assigned_value(const Tree& tree, Ref ref);

/// The items of a list or set, of lists in it, with each `name = value` as its value, each +- as two and each item
/// once; a set in it is one item. Of anything else itself.
std::vector<Ref> items_of(Tree& tree, Ref ref);

/// For a list in which every item is `name = value`, and (x, y) = (1, 2): the values with the names, as written. Empty
/// otherwise, and where a name is given twice.
using NamedValues = std::vector<std::pair<std::string, Ref>>;
NamedValues named_values(const Tree& tree, Ref ref);

/// Their values in the order of the names where those follow each other (x, y; x_1, x_2), else as written.
std::vector<Ref> coordinates_of(const NamedValues& values);

/// 3 \pmod 7, and whether two values, one of them or both such, are congruent.
bool is_residue(const Tree& tree, Ref ref);
bool congruent(const Tree& tree, Ref a, Ref b, Scope& scope);

/// T and its like in an exponent.
bool is_transpose(const Node& exponent);
/// True of a matrix, and of sums, products and powers with one.
bool is_matrix(const Tree& tree, Ref ref);
/// These worked out as one matrix, with T in the exponent as the transpose; nothing where they cannot be. Refusal of one that grows too large.
std::optional<Ref> matrix_of(Tree& tree, Ref ref);

/// True where an equation between two values, of a chain any, does not hold: 6 = 5, x = 3 = 4, 6 = x = 5. Beside a number with
/// a decimal point, and with "about", both may differ by less than the last place that is not 0: 2/3 = 0.67.
bool states_falsehood(const Tree& tree, Ref ref, Scope& scope);

/// A value without unknowns.
bool is_known(const Tree& tree, Ref ref);

/// An expression of letters alone, of several ones also with powers, which a question may ask for: m + n, x^2 + y^2, sin A,
/// f(2) + f(3), P(A \cap B). 2x = 10, x^2 = 9 and x - 5 = 0 are equations in x.
bool is_quantity(const Tree& tree, Ref ref);

/// A set, list, tuple or the like: no expression with a value.
bool is_set_like(const Tree& tree, Ref ref);

}  // namespace aha::math
