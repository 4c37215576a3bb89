#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/chat_prompt.h"
#include "data/tokenizer/tokenizer.h"
#include "trainer/config/schema.h"
#include "trainer/core/json.h"

namespace aha {

/// How a row becomes the text that the policy is asked to continue.
///
///   raw            the question as it is
///   r1_zero        the template of DeepSeek-R1-Zero (arXiv:2501.12948, table 1), ends "Assistant:"
///   r1_zero_think  the same with "<think>" already written
///   chat           the checkpoint's own chat template, the question as the user's message
///   anything else  a text with {field} placeholders; {{ and }} stand for braces
///
/// A template that ends in "<think>" (white space after it aside) prefills it: that end belongs to
/// the completion. UserError when a text has no placeholder (naming the nearest template) or a brace
/// without its partner.
class PromptTemplate {
 public:
  /// Any but `chat`.
  PromptTemplate(const std::string& name_or_text, const std::string& question_field);
  PromptTemplate(ChatPrompt chat, const std::string& question_field);

  /// Fields that a row must have, each once, in the order of their first use.
  const std::vector<std::string>& fields() const { return fields_; }

  /// The rendered text. Texts stand as they are, numbers and truth values as in JSON, lists as
  /// "[1, 2, 3]". UserError "WHERE: ..." naming the row's fields when one is missing or null, and
  /// for a conversation that is not for a chat template.
  std::string text(const OrderedJson& row, std::string_view where) const;

  /// The end of a rendered text that belongs to the completion, such as "<think>\n".
  std::string prefill(std::string_view text) const;

  /// The ids of a rendered text: with what the tokenizer puts before a text, as transformers and TRL
  /// do, but for `chat`, which writes its begin token itself. UserError for a text that begins with
  /// a begin token where one is put before it, or with two.
  std::vector<TokenId> ids(const Tokenizer& tokenizer, std::string_view text) const;

  /// What a perfect completion of a rendered text looks like, its prefill included: with think and
  /// answer tags where the text speaks of "<answer>", boxed where it speaks of "\boxed", after the mark
  /// where it speaks of "####", else the answer alone. Of an answer with "####", tags and box hold what follows it.
  std::string ideal(std::string_view answer, std::string_view text) const;

 private:
  struct Part {
    std::string literal;
    std::string field;  ///< after the literal; empty: none
  };
  void parse(const std::string& text);

  std::vector<Part> parts_;
  std::vector<std::string> fields_;
  std::string prefill_;
  std::optional<ChatPrompt> chat_;
};

/// The template that a job's data section names; `chat` is the one among the tokenizer's files.
/// UserError as PromptTemplate and ChatPrompt say.
PromptTemplate open_prompt_template(const DataSection& data, const Tokenizer& tokenizer);

/// An ideal completion with its tags set as rules on format want them: `</think> <answer>` as it stands, with a
/// newline between the two, and with each tag on a line of its own. A text without both has one way.
std::vector<std::string> tag_layouts(const std::string& ideal);

/// A field's value as a template writes it.
std::string field_text(const OrderedJson& value);

}  // namespace aha
