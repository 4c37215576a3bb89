#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "data/tokenizer/tokenizer_files.h"
#include "trainer/core/json.h"

namespace aha {

namespace jinja {
struct Program;
}

/// What a conversation is rendered with besides its messages.
struct ChatOptions {
  /// The template's variables: add_generation_prompt, enable_thinking, tools, ...
  OrderedJson variables = OrderedJson::object();
  /// What strftime_now says, "2024-07-26" or "2024-07-26T13:05:00"; empty: a template that asks for
  /// it is refused, since a prompt must not change from day to day.
  std::string date;
  /// Which of several templates; empty: `tool_use` when there are tools and it exists, else
  /// `default`.
  std::string name;
};

/// The chat template of a checkpoint: Jinja text that makes a prompt of a conversation, rendered as
/// transformers' apply_chat_template does (trim_blocks, lstrip_blocks, loop controls, immutable
/// sandbox). Immutable; safe to share between threads.
///
/// UserError "WHERE: line N: ..." for what the template refuses (raise_exception) or we do not have,
/// and for a template that never ends, writes too much or nests too deeply.
class ChatTemplate {
 public:
  /// `special` are the variables bos_token, eos_token, ...
  ChatTemplate(std::string_view source, const std::string& where,
               std::map<std::string, std::string> special = {});
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  /// `messages`: a list of objects. Numbers, order of keys and texts reach the template as they are.
  std::string render(const OrderedJson& messages, const ChatOptions& options = {}) const;

  /// A template of another name, besides "default".
  void add(const std::string& name, std::string_view source, const std::string& where);

  /// UserError naming those there are when there is none of that name; empty is always right.
  void require(const std::string& name) const;

  /// Whether `word` stands in one of the templates: a variable that does not changes nothing.
  bool mentions(std::string_view word) const;

 private:
  const jinja::Program& chosen(const ChatOptions& options) const;

  std::string where_;
  std::map<std::string, std::unique_ptr<jinja::Program>> programs_;
  std::string sources_;  ///< of all of them, for `mentions`
  std::map<std::string, std::string> special_;
};

/// The template of a model folder: chat_template.jinja and additional_chat_templates/*.jinja, else
/// `chat_template` of tokenizer_config.json, a text or a list of {name, template}. Special tokens are
/// texts or objects with `content`. UserError when there is none.
ChatTemplate load_chat_template(const TokenizerFiles& files);
ChatTemplate load_chat_template(const std::filesystem::path& folder);

/// One row of a request: {"messages": [...]} with the template's variables beside them or in
/// `options` (which win); `date` and `chat_template` (a name) are also read as ChatOptions say.
std::string render_row(const ChatTemplate& chat, const OrderedJson& row, const std::string& where);

/// JSON text with its keys in order, as a template has to see tools and arguments. UserError as
/// parse_json.
OrderedJson parse_ordered_json(std::string_view text, const std::string& where);

}  // namespace aha
