#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace aha {

/// A word or a sign of Python.
struct PythonToken {
  std::string_view text;
  std::int64_t line = 1;
  bool outermost = false;  ///< at the beginning of its line: not indented, nothing before it
};

/// What code consists of: words, signs of one byte each, and the ends of lines as "\n"; texts and comments are left
/// out. Any text is taken.
std::vector<PythonToken> python_tokens(std::string_view code);

/// Whether a token is a name or a keyword.
bool is_python_name(std::string_view token);

}  // namespace aha
