#pragma once
#include <set>
#include <string>

#include "rewards/math/expression.h"

namespace aha::math {

/// A spelling that is the same for expressions that differ in the order of sums, products, sets
/// and lists, in how numbers are written, in the nesting of sums and products, and in the name of
/// the variable that a series is summed over. Equal spellings are equal expressions; different
/// ones may be as well.
std::string canonical(const Tree& tree, Ref ref);

/// What stands for something unknown: symbols, and unknown functions, integrals and limits by
/// their canonical form.
bool is_unknown(const Tree& tree, Ref ref);
std::set<std::string> unknowns(const Tree& tree, Ref ref);

/// Words for comparison: lower case but for names of one or two letters, without articles, spaces but between digits, LaTeX
/// spacing and full stops.
std::string plain_words(std::string_view text);

}  // namespace aha::math
