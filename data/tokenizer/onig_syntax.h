#pragma once
#include <string>
#include <string_view>

namespace aha {

/// `pattern` in Oniguruma's Ruby syntax (UTF-8) as one that means the same to PCRE2 with UTF and
/// UCP. What differs between them: \s and \w (sets of characters), \h, \v, \b, \uHHHH, {,n}, {n}?,
/// {n,m}+, the option m, option groups without a colon, properties by long names, scripts, POSIX
/// brackets, classes inside classes and their intersection (&&). UserError beginning with `where`
/// for what has no counterpart. `with_new`: properties have the characters that Oniguruma knows and
/// PCRE2 does not yet, which makes them slower.
std::string pcre2_pattern(std::string_view pattern, const std::string& where, bool with_new);

}  // namespace aha
