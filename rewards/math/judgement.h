#pragma once
#include <cstddef>
#include <string>

namespace aha::math {

enum class Verdict { Equal, Different, Unjudged };

/// What a comparison found, with why where it is not equal.
struct Judgement {
  Verdict verdict = Verdict::Different;
  std::string reason{};
};

/// Lists, and sets, are compared item by item up to so many.
inline constexpr std::size_t kMostItems = 64;

/// What sources dispute; the defaults are Math-Verify's where it is consistent.
struct Conventions {
  int precision = 6;               ///< decimals that a number written with a point is compared at
  bool percent_is_number = false;  ///< 28% is 28, not 0.28
  bool ordered_lists = false;      ///< "1, 2" without brackets is not "2, 1"
};

}  // namespace aha::math
