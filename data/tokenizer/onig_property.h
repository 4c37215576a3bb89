#pragma once
#include <string>
#include <string_view>

namespace aha {

/// White_Space. PCRE2's \s has U+180E too, Oniguruma's has not.
constexpr const char* kSpaceItems =
    R"(\x09-\x0d\x20\x85\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

/// A property (or POSIX bracket) of Oniguruma as what stands between PCRE2's brackets. `with_new`:
/// with the characters that PCRE2 does not know yet.
std::string property_items(std::string_view name, bool with_new);

/// The items of \w.
std::string word_items(bool with_new);

}  // namespace aha
