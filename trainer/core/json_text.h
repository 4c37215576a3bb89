#pragma once
#include <span>
#include <string>
#include <string_view>

#include "trainer/core/json.h"

namespace aha {

/// Parses a row of data, as parse_json does, without rounding: a number whose value Json cannot hold (whole and beyond
/// 64 bits, of more digits than a double has, beyond its exponents) becomes a text, as it is written.
Json parse_row(std::string_view text, std::string_view where);

/// The same with the keys of objects in their order, of a text that parse_row has read.
OrderedJson parse_ordered_row(std::string_view text);

/// The members of a JSON object that was parsed before, as they are written, less white space outside texts and less
/// those of some names: {"a": 1.10, "b": 2} without b is "a":1.10.
std::string members_as_written(std::string_view object, std::span<const std::string_view> without);

}  // namespace aha
