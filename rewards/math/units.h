#pragma once
#include <optional>
#include <string_view>

namespace aha::math {

/// A unit that others of its kind are parts of: 5 feet 6 inches.
struct NestedUnit {
  std::string_view name;  ///< one of its spellings
  char kind = ' ';        ///< length, time, ...
  int rank = 0;           ///< the larger, the smaller the unit
};
std::optional<NestedUnit> nested_unit(std::string_view word);

}  // namespace aha::math
