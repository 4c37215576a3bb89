#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/math/expression.h"
#include "rewards/math/judgement.h"

namespace aha::math {

/// One way to read an answer, the likeliest first; several where its writing leaves it open ("1,22"). Words behind
/// mathematics are for what the other side has as words first.
using Readings = std::vector<Ref>;

/// Reads an answer: mathematics (parser.h), else words. `problem` says why mathematics was not
/// found; nothing is read from an empty text or one that is neither.
Readings readings_of(Tree& tree, std::string_view text, std::string& problem);

/// True where all of the text is mathematics.
bool is_mathematics(std::string_view text);

/// Whether a gold and an answer mean the same; symmetric, but for units of one letter and quantities.
///
///   numbers, expressions   as compare_scalars (scalar.h)
///   a = b                  the value of b where a is a name, f(x), (x, y) or without letters; else
///                          equations are equal where left minus right are in a constant ratio
///   E = b                  b, of an answer where E is of letters alone and the gold a number, or where E is b
///   inequalities           the same set of one unknown, also beside an interval; else a constant
///                          ratio of left minus right, its sign turning the relation
///   a false a = b          between two values: different from everything but itself
///   lists, {sets}          the same items in any order, each counted once; each +- is two items, a set in a set one
///   {f(k) | k in S}        the same elements and condition, whatever the letter
///   (tuples), intervals    the same items in order, and the same brackets where there are two;
///                          beside a set or list the same items in its order, or sorted; beside x = 1, y = 2
///                          in the order of the names
///   a (mod n)              congruent, of one n; beside a number the residue
///   matrices               cell by cell
///   unions, intersections  as sets of real numbers
///   words                  letter by letter, spaces, articles and the capitals of words aside, where one of the two is no
///                          mathematics; beside a formula, see remarks.h
class Comparison {
 public:
  Comparison(Tree& tree, const Conventions& conventions, std::int64_t& steps);
  /// Equal if any two readings are.
  Judgement compare(const Readings& gold, const Readings& answer);

 private:
  Tree& tree_;
  const Conventions& conventions_;
  std::int64_t& steps_;
};

}  // namespace aha::math
