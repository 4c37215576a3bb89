#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "trainer/core/json.h"

namespace aha {

/// A JSON text in which the numbers that would be rounded when it is parsed are texts of what is written:
/// {"a":1e400} becomes {"a":"1e400"}. Nothing when there is none. What is no JSON stays none.
std::optional<std::string> with_exact_numbers(std::string_view text);

/// Parses a row of data, as parse_json does, without rounding: a number whose value Json cannot hold (whole and beyond
/// 64 bits, of more digits than a double has, beyond its exponents) becomes a text, as it is written.
Json parse_row(std::string_view text, std::string_view where);

/// The same with the keys of objects in their order, of a text that parse_row has read.
OrderedJson parse_ordered_row(std::string_view text);

/// The members of a JSON object that was parsed before, as they are written, less white space between them and less
/// those of some names: {"a": 1.10, "b": 2} without b is "a":1.10.
std::string members_as_written(std::string_view object, std::span<const std::string_view> without);

}  // namespace aha
