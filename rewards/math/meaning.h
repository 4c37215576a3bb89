#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rewards/math/evaluate.h"

namespace aha::math {

/// What `name = value` says: the value, of a chain the last one, x in S the set. Nothing for an
/// equation whose left side is no name: x, x_1, AB, |AB|, f(x), (x, y), words, or an expression
/// without letters (2 + 2 = 4).
std::optional<Ref> assigned_value(const Tree& tree, Ref ref);

/// The condition of a set {x | x > 3}; anything else as it is.
Ref condition_of(Tree& tree, Ref ref);

/// The items of a list or set, of lists in it, with each `name = value` as its value, +- as two
/// and each item once; of anything else itself.
std::vector<Ref> items_of(Tree& tree, Ref ref);

/// For a list in which every item is `name = value`: the values by name. Empty otherwise, and
/// where a name is given twice.
std::map<std::string, Ref> named_values(const Tree& tree, Ref ref);

/// A matrix, or numbers times one, as one matrix.
std::optional<Ref> scaled_matrix(Tree& tree, Ref ref);

/// True where an equation between two values, of a chain any, does not hold: 6 = 5, x = 3 = 4. Beside a number with
/// a decimal point, and with "about", both may differ by less than the last place that is not 0: 2/3 = 0.67.
bool states_falsehood(const Tree& tree, Ref ref, Scope& scope);

/// A set, list, tuple or the like: no expression with a value.
bool is_set_like(const Tree& tree, Ref ref);

}  // namespace aha::math
