#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace aha::jinja {

/// A number that begins at some place; `size` 0: there is none.
struct NumberLiteral {
  std::size_t size = 0;
  bool is_float = false;
  std::string digits;  ///< as written, without '_'
};

/// 12, 1_000, 0x1F, 0b1, 0o7, 1.5, 1e-3; floats only where `may_be_float`.
NumberLiteral number_at(std::string_view text, std::size_t at, bool may_be_float);

/// Resolves Python's escapes of a text literal into `out`; returns what is wrong, or nothing.
std::string unescaped(std::string_view literal, std::string& out);

}  // namespace aha::jinja
