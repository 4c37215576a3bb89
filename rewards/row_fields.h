#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/core/json.h"

namespace aha {

// Reading a row's fields without exceptions: nothing when the field is missing or of another kind.

/// A whole number that fits 64 bits.
std::optional<std::int64_t> whole_field(const Json& row, std::string_view name);

/// A list of whole numbers.
std::optional<std::vector<std::int64_t>> whole_list_field(const Json& row, std::string_view name);

/// A text as it stands; a number as JSON writes it.
std::optional<std::string> text_field(const Json& row, std::string_view name);

}  // namespace aha
