#include "rewards/code/python_tokens.h"

#include <algorithm>
#include <cctype>

namespace aha {
namespace {

bool is_part(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Bytes of the text that begins here, its quotes included.
std::size_t quoted_bytes(std::string_view code) {
  const std::string_view quote = code.size() >= 3 && code[1] == code[0] && code[2] == code[0]
                                     ? code.substr(0, 3)
                                     : code.substr(0, 1);
  for (std::size_t i = quote.size(); i < code.size(); ++i) {
    if (code[i] == '\\')
      ++i;
    else if (code.substr(i).starts_with(quote))
      return i + quote.size();
    else if (quote.size() == 1 && code[i] == '\n')
      return i;
  }
  return code.size();
}

}  // namespace

std::vector<PythonToken> python_tokens(std::string_view code) {
  std::vector<PythonToken> tokens;
  std::int64_t line = 1;
  for (std::size_t i = 0; i < code.size();) {
    const char c = code[i];
    const bool outermost = i == 0 || code[i - 1] == '\n';
    std::size_t bytes = 1;
    if (c == '#') {
      bytes = std::min(code.find('\n', i), code.size()) - i;
    } else if (c == '"' || c == '\'') {
      bytes = quoted_bytes(code.substr(i));
    } else if (is_part(c)) {
      while (i + bytes < code.size() && is_part(code[i + bytes]))
        ++bytes;
      tokens.push_back({code.substr(i, bytes), line, outermost});
    } else if (c == '\n' || std::isspace(static_cast<unsigned char>(c)) == 0) {
      tokens.push_back({code.substr(i, 1), line, outermost});
    }
    const auto passed = code.substr(i, bytes);
    line += std::count(passed.begin(), passed.end(), '\n');
    i += bytes;
  }
  return tokens;
}

bool is_python_name(std::string_view token) {
  return is_part(token.front()) && (token.front() < '0' || token.front() > '9');
}

}  // namespace aha
