#pragma once
#include <string_view>

namespace aha {

/// Whether this is the name, without its backslash, of a command that mathematics and its text are commonly written with: of
/// LaTeX, of the packages of the American Mathematical Society, and of functions as Russian books write them.
bool is_latex_command(std::string_view name);

}  // namespace aha
