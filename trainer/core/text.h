#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aha {

/// The candidate with the smallest edit distance (Levenshtein) to `word`, for "the nearest is ...".
/// Empty when nothing is nearer than half of the word's length, rounded up.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// True for what may be part of a key: letters, digits, _ and -, and at least one of them.
bool is_name(std::string_view word);

/// "a, b and c".
std::string join_list(std::span<const std::string> words);

/// 1234567 -> "1,234,567".
std::string with_commas(long long value);

/// 93784 -> "26 h 3 min"; 75 -> "1 min 15 s"; 0.4 -> "0.4 s".
std::string duration_text(double seconds);

/// 1536 -> "1.5 KiB".
std::string bytes_text(double bytes);

}  // namespace aha
