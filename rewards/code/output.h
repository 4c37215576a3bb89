#pragma once
#include <string_view>

namespace aha {

/// How outputs are compared.
enum class Compare {
  Lines,  ///< white space at the end of lines and empty lines at the end do not count
  Words,  ///< white space only separates
  Exact,
};

bool same_output(std::string_view output, std::string_view wanted, Compare compare);

/// Less white space at its end.
std::string_view without_end(std::string_view text);

}  // namespace aha
