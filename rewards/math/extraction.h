#pragma once
#include <span>
#include <string>
#include <string_view>

namespace aha::math {

/// Where the answer stands in a completion.
enum class Extraction {
  Auto,
  Boxed,
  AnswerTag,
  Hash,
  FinalAnswer,
  Last,
  Whole,
  AnswerLine,
  Choice,
  CodeBlock
};

/// A place by the name that a configuration gives it: ours, or that of a published prompt or
/// benchmark whose answers stand there (hendrycks_math and qwen_math: the last box; gsm8k: after
/// ####; minerva: "The final answer is"; dapo and simple_evals: "Answer:"; open_reasoner_zero and
/// oat: <answer>; mmlu: a letter).
struct ExtractionRule {
  const char* name;
  Extraction place;
};
std::span<const ExtractionRule> extraction_rules();

struct Extracted {
  std::string text{};    ///< empty: nothing was found
  const char* how = "";  ///< "box", "answer tag", ...; why not, where nothing was found
  bool closed = false;   ///< a closed box or tag: complete, also in a truncated completion
  /// A percent sign stands behind the box or formula, which `text` is without.
  bool percent = false;
};

/// Why there is none, where the text behind one says that it is wrong.
inline constexpr const char* kTakenBack = "an answer that is taken back";

/// Cuts the answer out of a text. With Auto, the first of these that is there:
///
///   answer tag    the last closed <answer>...</answer>, and in it again a box, formula or number
///   box           the last \boxed{}, \fbox{} or \framebox{}, braces balanced, together with those before it
///                 that only "and", "or" or a comma separate: \boxed{1} and \boxed{2}. A last one
///                 that is not closed is no answer
///   ####          what follows on the line
///   final answer  the first formula or number of the sentence after the last "answer is" or "final answer"
///   answer line   words behind the last "Answer:" or a heading "Answer" that no number follows, or a formula or number
///                 there that is all of a sentence, a unit aside, and that an explanation alone follows
///   whole         all of a `bare` text that is mathematics, or one or two words
///   last          the last formula ($...$, \[...\], \(...\)) or number, whichever ends later
///
///   choice, code block: see places.h and choice.h; not with Auto
///
/// A box or final answer that the text behind it takes back is none (retraction.h).
///
/// The other rules look at one place alone. Before that the text is cut: up to the last </think>,
/// and from the first <|special|> token on, complete with its second bar. A <think> that is not closed leaves nothing.
///
/// Linear in the text, and safe on any.
Extracted extracted_answer(std::string_view text, Extraction rule, bool bare);

/// The same where the gold is a letter of a choice (choice.h): what it labels does not count.
Extracted extracted_letter(std::string_view text, Extraction rule, bool bare);

/// The same of a gold, by Auto; a last box that is not closed holds all that follows. One that is written as mathematics,
/// or holds several numbers, and cannot be read is given whole: a part of it would be another answer.
Extracted extracted_gold(std::string_view text);

}  // namespace aha::math
