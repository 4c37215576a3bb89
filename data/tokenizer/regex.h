#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct pcre2_real_code_8;

namespace aha {

/// Bytes [begin, end) of a text.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A regular expression of a tokenizer.json. These files are written for Oniguruma (Ruby syntax,
/// Unicode); it is translated and run by PCRE2. Immutable; safe to share between threads.
class Regex {
 public:
  /// UserError beginning with `where` for an expression that cannot be had.
  Regex(std::string_view pattern, const std::string& where);

  /// All matches from left to right, without overlap. An empty match right after the match before
  /// it does not count. `text` is well-formed UTF-8.
  void find_all(std::string_view text, std::vector<Span>& matches) const;

 private:
  struct Code {
    std::shared_ptr<pcre2_real_code_8> code;
    bool compiled = false;  ///< to machine code
  };
  static Code compile(const std::string& translated, std::string_view pattern,
                      const std::string& where);

  Code code_;
  Code with_new_;  ///< for texts with characters that PCRE2 does not know yet
};

}  // namespace aha
