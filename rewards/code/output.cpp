#include "rewards/code/output.h"

#include <algorithm>

#include "rewards/text_scan.h"

namespace aha {
namespace {

std::string_view next_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

std::string_view next_word(std::string_view& text) {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  std::size_t size = 0;
  while (size < text.size() && !is_space(text[size]))
    ++size;
  const auto word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

}  // namespace

std::string_view without_end(std::string_view text) {
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

bool same_output(std::string_view output, std::string_view wanted, Compare compare) {
  if (compare == Compare::Exact) return output == wanted;
  output = without_end(output);
  wanted = without_end(wanted);
  if (compare == Compare::Words) {
    while (!output.empty() && !wanted.empty())
      if (next_word(output) != next_word(wanted)) return false;
    return output.empty() && wanted.empty();
  }
  while (!output.empty() && !wanted.empty())
    if (without_end(next_line(output)) != without_end(next_line(wanted))) return false;
  return output.empty() && wanted.empty();
}

}  // namespace aha
