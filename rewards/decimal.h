#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace aha {

/// A number as it stands in a text: its place, and its value in one spelling per value: "-12.5",
/// "145" for "145.0", "1000" for "1,000", "0" for "-0.00".
struct WrittenNumber {
  std::size_t begin = 0;  ///< sign and currency sign included
  std::size_t end = 0;
  std::string value;
};

/// The first number at or after `from`, the last number of a text.
///
///   number  = [sign] ["$"] ( digits | grouped ) [ "." digits ]
///           | [sign] ["$"] "." digits
///   grouped = one to three digits, then groups of "," and three digits:
///             "1,000", but neither "1,2" nor "1000,000"
///   sign    = "-" or U+2212, when no letter, digit or ")" stands before it: "16-3" holds 16 and 3
///
/// Any number of digits is exact. There is no exponent and no fraction: "3/4" holds 3 and 4.
std::optional<WrittenNumber> first_number(std::string_view text, std::size_t from = 0);
std::optional<WrittenNumber> last_number(std::string_view text);

/// The value of a text that is one number and white space around it; nothing otherwise.
std::optional<std::string> sole_number(std::string_view text);

}  // namespace aha
