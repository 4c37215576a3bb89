#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace aha::math {

/// A numeral at the start of a text: how many bytes it takes, and its digits without separators as
/// fraction_of reads them.
struct Numeral {
  std::size_t size = 0;
  std::string text;
};

/// True where read_numeral may begin: at a digit, "." and a digit, or a character that is a fraction, such as U+00BD (1/2).
bool starts_numeral(std::string_view text);

/// Reads "12", ".5", "1,000.50", "1{,}000", "1 000", "1\,000", "2e-3", "0.1\overline{6}",
/// and "5" with U+00BD behind it as "5 1/2". `text` begins as starts_numeral says. `listed`: inside brackets, where a plain
/// comma separates items: "(100,200)" holds two numbers, "(10,000)" one since no number begins with
/// 0 ("0,111" is one as well, with a decimal comma).
Numeral read_numeral(std::string_view text, bool listed);

}  // namespace aha::math
