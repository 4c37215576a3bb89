#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace aha::jinja {

/// Python's int(text, base) and float(text); nothing when it is no number or beyond 64 bits.
std::optional<std::int64_t> whole_number(std::string_view text, int base);
std::optional<double> float_number(std::string_view text);
/// Python's round(value, digits): the decimal nearest to the exact value, ties to even.
double rounded(double value, std::int64_t digits);

}  // namespace aha::jinja
