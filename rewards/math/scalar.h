#pragma once
#include "rewards/math/evaluate.h"
#include "rewards/math/judgement.h"

namespace aha::math {

/// Compares two expressions that have one value each.
///
/// Rational values are compared exactly, at the points of sampling_of where there are unknowns;
/// others by `nearness`. Where one side is a number written with a decimal point, both are rounded
/// to `precision` decimals, and numbers below 1 to as many significant digits: 0.333333 is 1/3,
/// 0.33 is not. A unit of one letter after a number ("3s") does not count beside a plain number.
Judgement compare_scalars(const Tree& tree, Ref a, Ref b, const Conventions& conventions,
                          Scope& scope);

}  // namespace aha::math
