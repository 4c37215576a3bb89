#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace aha::math {

/// Words beside a formula, without those that say nothing ("the", "is"): lower case, a space between two.
std::string plain_remark(std::string_view words);

/// What a word does to the number that it stands beside: 5 dozen, 3 halves, negative 5, 5 squared.
enum class Act { Times, Plus, Power, Factorial };
struct Operation {
  Act act = Act::Times;
  long top = 1;  ///< by top / bottom
  long bottom = 1;
};
std::optional<Operation> operation_after(std::string_view remark);
std::optional<Operation> operation_before(std::string_view remark);

/// True where words behind a number make it another statement: "plus three", "if even". Units and what is counted do
/// not.
bool changes_number_before(std::string_view remark);
/// The same of words before a number: "at least", "square root of".
bool changes_number_after(std::string_view remark);

/// "Total:", "the answer is": what follows is what is meant.
bool is_label(std::string_view words);

/// True of units alone: "square inches", "cm", and of what is counted, "eggs". Beside letters other words are a condition: n odd.
bool is_unit_name(std::string_view remark);

/// am, pm.
bool is_half_of_day(std::string_view remark);

/// Half of the day, or the letter of a choice, "(E)": it counts only beside another one. For the latter the letter.
bool is_optional_remark(std::string_view remark);
std::optional<std::string> choice_of(std::string_view remark);

}  // namespace aha::math
