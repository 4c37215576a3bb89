#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace aha::math {

/// Words in small letters from a number on, the nearest first: "#" stands for each number, "%", "," and "(" for themselves.
/// Marks of formulas, hyphens and asterisks are passed over; anything else ends the sentence.
using Words = std::vector<std::string>;
Words words_behind(std::string_view text, std::size_t from);
Words words_before(std::string_view text, std::size_t end);

/// One of them, empty where there are not so many.
std::string_view at(const Words& words, std::size_t i);
std::string_view at(Words&&, std::size_t) = delete;  // it would outlive them

bool is_in(std::string_view word, std::initializer_list<std::string_view> words);

}  // namespace aha::math
