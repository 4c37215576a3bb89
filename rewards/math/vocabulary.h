#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rewards/math/lexer.h"

namespace aha::math {

/// What a LaTeX command means to the lexer, without its backslash: "frac", "le", "alpha". An
/// unknown one is a symbol of that name.
struct Meaning {
  TokenKind kind;
  std::string_view text;
};
std::optional<Meaning> command_meaning(std::string_view name);

/// What a word written without a backslash means: "sin", "pi", "and", "percent".
std::optional<Meaning> word_meaning(std::string_view word);

/// The same of characters outside ASCII, such as the sign for "at most", at the start of `text`;
/// `size` is the bytes of the character.
std::optional<Meaning> character_meaning(std::string_view text, std::size_t& size);

/// A text whose full-width digits, letters and signs of arithmetic (U+FF0B and its like) are those of
/// ASCII; nothing where it has none.
std::optional<std::string> narrowed(std::string_view text);

/// Commands whose argument is words: text, mbox, textbf, ...
bool is_text_command(std::string_view name);

/// Short words for a unit: cm, kg, mph, ... Longer ones need no list: four letters after a number
/// are no product.
bool is_short_unit(std::string_view word);

/// Single letters that may be a unit after a number: m, s, g, h, L.
bool is_letter_unit(std::string_view name);

/// "not" and its like: what follows is no answer.
bool is_negation(std::string_view word);

/// True where words offer another answer or take one back ("or forty", "not"): they are no unit and no label.
bool is_hedge(std::string_view words);

/// Short words that no product of letters spells: no, odd.
bool is_short_word(std::string_view word);

/// What a separator says of its neighbours: "and", "or", and of logic "land", "lor"; "" for commas.
std::string connective_of(std::string_view separator);
/// True of those that say "both".
bool is_conjunction(std::string_view connective);

/// The base that a word names: 1011_{\text{two}}.
std::optional<std::int64_t> named_base(std::string_view word);

/// Letters that are a unit only behind a space: 100 N.
bool is_spaced_unit(std::string_view name);

/// The name of a Greek letter, without its backslash.
bool is_greek(std::string_view name);

/// A relation's sign with a stroke: \not\in. kOther where it has none.
char negated_sign(char sign);

/// The ending of 1st, 2nd, 3rd, 4th.
bool is_ordinal_ending(std::string_view word);

/// The value of "million" and its like, also with a unit behind: "million dollars".
std::optional<std::int64_t> named_scale(const Token& token);

}  // namespace aha::math
