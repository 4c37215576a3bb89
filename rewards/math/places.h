#pragma once
#include <optional>
#include <string_view>

namespace aha::math {

// Places of an answer that are found by their words alone; nothing where there is none. Linear in
// the text.

/// A completion without thinking and special tokens; nothing where the thinking has not ended.
std::optional<std::string_view> answering_part(std::string_view text);

/// The sentence behind the last of a phrase, all that is behind the phrase, and whether the sentence stands on its own:
/// behind a colon or a line's end.
struct Said {
  std::string_view sentence;
  std::string_view rest;
  bool marked = false;
};
std::optional<Said> said_behind(std::string_view text, std::string_view phrase);

/// What follows the last "Answer:", or a heading "Answer", on its line, or on the next one that holds something, capitals
/// aside, as in DAPO's and simple-evals' prompts.
std::optional<std::string_view> answer_line(std::string_view text);

/// The sentence behind the last "Answer:" or a heading "Answer", what is behind the sentence, and whether it is the last word:
/// nothing such as "first" stands before "answer", and below the sentence an explanation alone, or no number and no formula.
std::optional<Said> answer_sentence(std::string_view text);

/// True where what follows a number makes it the label of a list: ". April: 48".
bool begins_list(std::string_view behind);

/// True of letters alone and marks that may set them off.
bool is_words(std::string_view text);

/// Words as an answer, without what sets them off: "**ellipse**", "an ellipse!".
std::string_view bare_words(std::string_view text);

/// What stands in the last closed block between ``` and ```, without the line of the first.
std::optional<std::string_view> code_block(std::string_view text);

/// The place of the last `phrase`, given in small letters, capitals aside, where no letter follows.
std::size_t last_phrase(std::string_view text, std::string_view phrase);

}  // namespace aha::math
