#pragma once
#include <string_view>

namespace aha {

/// Whether LaTeX or the packages of the American Mathematical Society have a command of this name, without its backslash.
bool is_latex_command(std::string_view name);

}  // namespace aha
