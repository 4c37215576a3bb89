#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "trainer/core/json.h"

namespace aha {

/// How a row becomes the text that the policy is asked to continue.
///
///   raw            the question as it is
///   r1_zero        the template of DeepSeek-R1-Zero (arXiv:2501.12948, table 1), ends "Assistant:"
///   r1_zero_think  the same with "<think>" already written
///   anything else  a text with {field} placeholders; {{ and }} stand for braces
///
/// A text that ends in "<think>" (white space after it aside) prefills it: that end belongs to the
/// completion. UserError when a text has no placeholder (naming the nearest template) or a brace
/// without its partner.
class PromptTemplate {
 public:
  PromptTemplate(const std::string& name_or_text, const std::string& question_field);

  /// Fields that a row must have, each once, in the order of their first use.
  const std::vector<std::string>& fields() const { return fields_; }
  const std::string& prefill() const { return prefill_; }

  /// The rendered text. Texts stand as they are, numbers and truth values as in JSON, lists as
  /// "[1, 2, 3]". UserError "WHERE: ..." naming the row's fields when one is missing or null.
  std::string text(const Json& row, std::string_view where) const;

  /// What a perfect completion looks like under this template, its prefill included: with think and
  /// answer tags where the template speaks of "<answer>", boxed where it speaks of "\boxed", else
  /// the answer alone. Of an answer with "####", tags and box hold what follows it.
  std::string ideal(std::string_view answer) const;

 private:
  struct Part {
    std::string literal;
    std::string field;  ///< after the literal; empty: none
  };
  void parse(const std::string& text);

  std::vector<Part> parts_;
  std::vector<std::string> fields_;
  std::string prefill_;
  std::string literals_;  ///< all fixed text, for `ideal`
};

/// A field's value as a template writes it.
std::string field_text(const Json& value);

}  // namespace aha
