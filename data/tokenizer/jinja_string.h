#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What Python's str does, on UTF-8.
namespace aha::jinja {

/// The characters (code points) of a text.
std::vector<std::string_view> characters(std::string_view text);
std::size_t character_count(std::string_view text);
/// Offset in bytes of a character; the text's size beyond its end.
std::size_t byte_offset(std::string_view text, std::size_t character);

/// str.isspace: Unicode's white space and the separators U+001C to U+001F.
bool is_python_space(std::int32_t code_point);
/// str.isprintable for one character.
bool is_printable(std::int32_t code_point);

std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string title(std::string_view text);       ///< str.title
std::string capitalize(std::string_view text);  ///< str.capitalize
/// str.strip family: white space, or any of the characters of `set`.
enum class Side { Both, Left, Right };
std::string_view stripped(std::string_view text, Side side);
std::string_view stripped(std::string_view text, Side side, std::string_view set);

/// str.split and str.rsplit at white space and at `separator` (not empty); `limit` < 0: no limit.
std::vector<std::string_view> split_space(std::string_view text, std::int64_t limit,
                                          bool from_right);
std::vector<std::string_view> split_at(std::string_view text, std::string_view separator,
                                       std::int64_t limit, bool from_right);
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);
/// str.replace; `limit` < 0: all.
std::string replaced(std::string_view text, std::string_view from, std::string_view to,
                     std::int64_t limit);
/// & < > " ' as markupsafe writes them.
std::string escaped(std::string_view text);

}  // namespace aha::jinja
