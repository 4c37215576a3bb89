#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace aha {

/// Characters that utf8proc normalizes and the `tokenizers` library, whose tables are of Unicode 9,
/// does not: to it they have no decomposition and combining class 0.
bool is_left_by_normalizers(std::int32_t code_point);

/// Whether `text` has characters that Oniguruma (Unicode 16) knows and PCRE2 10.42 (Unicode 14) not.
bool has_new_characters(std::string_view text);

/// Those of a general category ("Lu", or "L" for all that begin so) as ranges for a PCRE2 class.
std::string new_characters(std::string_view category);

/// Characters, new and old, that a property ("alphabetic", "lowercase") or script ("sc:han") has in
/// Oniguruma and not in PCRE2, but for the new ones of its general categories.
std::string later_characters(std::string_view property);

}  // namespace aha
