#pragma once
#include <string>

#include "data/tokenizer/chat_template.h"

namespace aha {

struct ChatPromptOptions {
  std::string system_prompt;  ///< empty: none
  ChatOptions chat;  ///< `add_generation_prompt` is true unless its variables say otherwise
};

/// Prompts by the checkpoint's own chat template. A question is a text, which becomes the message of
/// a user, or a list of messages (TRL's conversational format). The system prompt goes before
/// conversations that begin with no system or developer message. Immutable; safe to share between
/// threads.
class ChatPrompt {
 public:
  /// UserError naming the key for a variable or a named template that the model's templates do not
  /// have: it would change nothing.
  ChatPrompt(ChatTemplate chat, ChatPromptOptions options);

  /// UserError "WHERE: ..." for a question of another form, a message without role, a conversation
  /// that ends with the assistant's message where an answer is asked for, and for what the template
  /// refuses.
  std::string text(const OrderedJson& question, const std::string& where) const;

  /// Whether the template begins the answer (add_generation_prompt).
  bool opens_answer() const { return opens_answer_; }

 private:
  OrderedJson conversation(const OrderedJson& question, const std::string& where) const;

  ChatTemplate chat_;
  ChatPromptOptions options_;
  bool opens_answer_ = true;
};

}  // namespace aha
