#include "data/chat_prompt.h"

#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr const char* kOpens = "add_generation_prompt";

/// The role of a message; UserError for what is no message.
std::string role_of(const OrderedJson& message, const std::string& where) {
  if (message.is_object() && message.contains("role") && message.at("role").is_string())
    return message.at("role").get<std::string>();
  fail("{}: expected messages such as {{\"role\": \"user\", \"content\": \"...\"}}, found {}",
       where, brief(message));
}

}  // namespace

ChatPrompt::ChatPrompt(ChatTemplate chat, ChatPromptOptions options)
    : chat_(std::move(chat)), options_(std::move(options)) {
  auto& variables = options_.chat.variables;
  for (const auto& [name, value] : variables.items())
    if (name != kOpens && !chat_.mentions(name))
      fail("data.chat_template_kwargs: the model's chat template never speaks of '{}'", name);
  if (!variables.contains(kOpens)) variables[kOpens] = true;
  if (!variables[kOpens].is_boolean())
    fail("data.chat_template_kwargs: {} is true or false, not {}", kOpens,
         brief(variables[kOpens]));
  opens_answer_ = variables[kOpens].get<bool>();
  chat_.require(options_.chat.name);
}

OrderedJson ChatPrompt::conversation(const OrderedJson& question, const std::string& where) const {
  auto messages = OrderedJson::array();
  if (question.is_string())
    messages.push_back({{"role", "user"}, {"content", question}});
  else if (question.is_array() && !question.empty())
    messages = question;
  else
    fail("{}: a chat template takes a text or a list of messages, found {}", where,
         brief(question));
  for (const auto& message : messages)
    role_of(message, where);
  if (opens_answer_ && role_of(messages.back(), where) == "assistant")
    fail(
        "{}: the conversation ends with a message of the assistant, which is to answer; end it "
        "before",
        where);
  const auto first = role_of(messages.front(), where);
  if (!options_.system_prompt.empty() && first != "system" && first != "developer")
    messages.insert(messages.begin(),
                    OrderedJson{{"role", "system"}, {"content", options_.system_prompt}});
  return messages;
}

std::string ChatPrompt::text(const OrderedJson& question, const std::string& where) const {
  const auto messages = conversation(question, where);
  try {
    return chat_.render(messages, options_.chat);
  } catch (const UserError& error) {
    fail("{}: {}", where, error.what());
  }
}

}  // namespace aha
