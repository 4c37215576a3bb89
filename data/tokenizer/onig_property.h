#pragma once
#include <string>
#include <string_view>

namespace aha {

/// White_Space. PCRE2's \s has U+180E too, Oniguruma's has not.
constexpr const char* kSpaceItems =
    R"(\x09-\x0d\x20\x85\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

/// Where a set stands in an expression of Oniguruma: by itself, or between brackets.
enum class Place { Alone, Bracket };

/// A property (or POSIX bracket) of Oniguruma as what stands between PCRE2's brackets. `with_new`:
/// with the characters that PCRE2 does not know yet.
std::string property_items(std::string_view name, Place place, bool with_new);

/// The items of \w. Alone it has six numbers of Latin-1 (\u00b2 and others) that it lacks between
/// brackets: Oniguruma asks a table of Latin-1 there, and the property here.
std::string word_items(Place place, bool with_new);

}  // namespace aha
