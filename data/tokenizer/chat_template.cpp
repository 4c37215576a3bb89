#include "data/tokenizer/chat_template.h"

#include <algorithm>
#include <array>

#include "data/tokenizer/jinja_eval.h"
#include "data/tokenizer/jinja_parser.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr const char* kDefault = "default";
/// Names under which a message's reasoning is given; the first is the one that templates read.
constexpr std::array kReasoning = {"reasoning_content", "thinking", "reasoning"};

/// A message as transformers hands it on: fields that are null are left out, and reasoning stands
/// under `reasoning_content` and `thinking` whatever its name was.
OrderedJson prepared(const OrderedJson& message) {
  OrderedJson fields = OrderedJson::object();
  const auto reasoning = std::find_if(kReasoning.begin(), kReasoning.end(), [&](const char* name) {
    return message.contains(name) && !message.at(name).is_null();
  });
  const bool has = reasoning != kReasoning.end();
  if (has) fields["thinking"] = message.at(*reasoning);
  for (const auto& [key, value] : message.items())
    if (!value.is_null()) fields[key] = value;
  if (has) fields["reasoning_content"] = message.at(*reasoning);
  return fields;
}

OrderedJson prepared_messages(const OrderedJson& messages, const std::string& where) {
  if (!messages.is_array()) fail("{}: 'messages' must be a list of objects", where);
  OrderedJson all = OrderedJson::array();
  for (const auto& message : messages) {
    if (!message.is_object()) fail("{}: each of 'messages' must be an object", where);
    all.push_back(prepared(message));
  }
  return all;
}

std::optional<std::string> token_text(const OrderedJson& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string())
    return value["content"].get<std::string>();
  return std::nullopt;
}

/// bos_token, eos_token and the like of one file; what is known already stays.
void read_special(const TokenizerFiles& files, std::string_view name,
                  std::map<std::string, std::string>& special) {
  const auto* bytes = files.find(name);
  if (bytes == nullptr) return;
  const auto json = parse_ordered_json(*bytes, files.path(name));
  if (!json.is_object()) fail("{}: expected an object", files.path(name));
  for (const auto& [key, value] : json.items())
    if (key.ends_with("_token"))
      if (const auto text = token_text(value)) special.emplace(key, *text);
}

bool continues_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Name -> source, with where each stands.
struct Sources {
  std::map<std::string, std::pair<std::string, std::string>> by_name;
  void add(const std::string& name, std::string source, std::string where) {
    by_name[name] = {std::move(source), std::move(where)};
  }
};

void read_files(const TokenizerFiles& files, Sources& sources) {
  for (const auto& [name, bytes] : files.bytes) {
    if (name == "chat_template.jinja") sources.add(kDefault, bytes, files.path(name));
    if (name.starts_with(kMoreTemplates))
      sources.add(std::filesystem::path(name).stem().string(), bytes, files.path(name));
  }
}

void read_config(const TokenizerFiles& files, Sources& sources) {
  const auto* bytes = files.find("tokenizer_config.json");
  if (bytes == nullptr) return;
  const auto path = files.path("tokenizer_config.json");
  const auto json = parse_ordered_json(*bytes, path);
  if (!json.is_object() || !json.contains("chat_template") || json["chat_template"].is_null())
    return;
  const auto& value = json["chat_template"];
  const auto where = path + ": chat_template";
  if (value.is_string()) return sources.add(kDefault, value.get<std::string>(), where);
  const auto text_in = [](const OrderedJson& entry, const char* key) {
    return entry.is_object() && entry.contains(key) && entry[key].is_string();
  };
  if (!value.is_array()) fail("{}: expected a text or a list of {{name, template}}", where);
  for (const auto& entry : value) {
    if (!text_in(entry, "name") || !text_in(entry, "template"))
      fail("{}: each entry is an object with the texts 'name' and 'template'", where);
    const auto name = entry["name"].get<std::string>();
    sources.add(name, entry["template"].get<std::string>(), fmt::format("{} '{}'", where, name));
  }
}

}  // namespace

ChatTemplate::ChatTemplate(std::string_view source, const std::string& where,
                           std::map<std::string, std::string> special)
    : where_(where), special_(std::move(special)) {
  add(kDefault, source, where);
}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

void ChatTemplate::add(const std::string& name, std::string_view source, const std::string& where) {
  programs_[name] = jinja::parse(source, where);
  sources_ += fmt::format("{}\n", source);
}

void ChatTemplate::require(const std::string& name) const {
  if (name.empty() || programs_.contains(name)) return;
  std::vector<std::string> names;
  for (const auto& [known, unused] : programs_)
    names.push_back(known);
  fail("{}: there is no chat template '{}', only {}", where_, name, join_list(names));
}

bool ChatTemplate::mentions(std::string_view word) const {
  for (auto at = sources_.find(word); at != std::string::npos; at = sources_.find(word, at + 1)) {
    const auto end = at + word.size();
    const bool joined = (at > 0 && continues_word(sources_[at - 1])) ||
                        (end < sources_.size() && continues_word(sources_[end]));
    if (!joined) return true;
  }
  return false;
}

const jinja::Program& ChatTemplate::chosen(const ChatOptions& options) const {
  auto name = options.name;
  if (name.empty()) {
    const auto tools = options.variables.find("tools");
    const bool has_tools = tools != options.variables.end() && !tools->is_null();
    name = has_tools && programs_.count("tool_use") > 0 ? "tool_use" : kDefault;
  }
  require(name);
  return *programs_.at(name);
}

std::string ChatTemplate::render(const OrderedJson& messages, const ChatOptions& options) const {
  const auto& program = chosen(options);
  jinja::Runtime runtime(program.where, {});
  std::map<std::string, jinja::Value, std::less<>> variables;
  variables["tools"] = jinja::None{};
  variables["documents"] = jinja::None{};
  variables["add_generation_prompt"] = false;
  for (const auto& [name, text] : special_)
    variables[name] = runtime.text(text);
  for (const auto& [name, value] : options.variables.items())
    variables[name] = runtime.from_json(value);
  variables["messages"] = runtime.from_json(prepared_messages(messages, program.where));
  return jinja::Evaluator(program, runtime, std::move(variables), options.date).run();
}

ChatTemplate load_chat_template(const std::filesystem::path& folder) {
  return load_chat_template(present_tokenizer_files(folder));
}

ChatTemplate load_chat_template(const TokenizerFiles& files) {
  Sources sources;
  read_files(files, sources);
  if (sources.by_name.empty()) read_config(files, sources);
  if (sources.by_name.empty())
    fail(
        "{}: there is no chat template, neither chat_template.jinja nor 'chat_template' in "
        "tokenizer_config.json",
        files.folder);
  std::map<std::string, std::string> special;
  read_special(files, "tokenizer_config.json", special);
  read_special(files, "special_tokens_map.json", special);
  const auto first = sources.by_name.count(kDefault) > 0 ? sources.by_name.find(kDefault)
                                                         : sources.by_name.begin();
  ChatTemplate chat(first->second.first, first->second.second, std::move(special));
  for (const auto& [name, source] : sources.by_name)
    if (name != kDefault) chat.add(name, source.first, source.second);
  return chat;
}

std::string render_row(const ChatTemplate& chat, const OrderedJson& row, const std::string& where) {
  if (!row.is_object() || !row.contains("messages"))
    fail("{}: expected an object with 'messages'", where);
  ChatOptions options;
  for (const auto& [key, value] : row.items())
    if (key != "messages" && key != "options") options.variables[key] = value;
  if (row.contains("options")) {
    if (!row["options"].is_object()) fail("{}: 'options' must be an object", where);
    for (const auto& [key, value] : row["options"].items())
      options.variables[key] = value;
  }
  const auto text_of = [&](const char* key) -> std::string {
    const auto found = options.variables.find(key);
    return found != options.variables.end() && found->is_string() ? found->get<std::string>() : "";
  };
  options.date = text_of("date");
  options.name = text_of("chat_template");
  if (options.variables.contains("continue_final_message"))
    fail("{}: 'continue_final_message' is not supported", where);
  try {
    return chat.render(row.at("messages"), options);
  } catch (const UserError& error) {
    fail("{}: {}", where, error.what());
  }
}

OrderedJson parse_ordered_json(std::string_view text, const std::string& where) {
  parse_json(text, where);  // for its messages and its limit on depth
  return OrderedJson::parse(text);
}

}  // namespace aha
