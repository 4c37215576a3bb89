#include "trainer/commands/shared.h"

#include <spdlog/spdlog.h>

#include <fstream>
#include <iostream>

#include "data/tokenizer/chat_template.h"
#include "trainer/config/rules.h"
#include "trainer/core/error.h"
#include "trainer/core/json_text.h"

namespace aha {

Input::Input(const std::string& path) : name_(path == "-" ? "standard input" : path) {
  if (path == "-") return;
  file_ = std::make_unique<std::ifstream>(path, std::ios::binary);
  // a folder opens, but cannot be read
  if (!*file_ || (file_->peek(), file_->bad())) fail("{}: cannot be read", path);
  file_->clear();
}

Input::~Input() = default;

std::istream& Input::stream() {
  return file_ ? *file_ : std::cin;
}

void for_each_row(const std::string& path,
                  const std::function<void(Json&&, const std::string& where)>& row) {
  Input input(path);
  std::int64_t number = 0;
  for (std::string line; std::getline(input.stream(), line);) {
    const std::string where = fmt::format("{}:{}", input.name(), ++number);
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Json json = parse_row(line, where);
    if (!json.is_object()) fail("{}: a row is a JSON object, such as {{\"text\": \"...\"}}", where);
    row(std::move(json), where);
  }
}

void add_prompt_options(CLI::App& command, PromptArguments& a) {
  command
      .add_option("--prompt-template", a.prompt_template,
                  "raw, r1_zero, r1_zero_think, chat (the model's own), or a text with {field}")
      ->capture_default_str();
  command
      .add_option("--field", a.field,
                  "field that holds the question; chat: a text or a list of messages")
      ->capture_default_str();
  command.add_option("--system-prompt", a.system_prompt, "chat: the system message");
  command.add_option("--chat-template-date", a.date, "chat: the date that the template is told");
  command.add_option("--chat-template-kwargs", a.variables,
                     "chat: variables of the template, such as {\"enable_thinking\": false}");
}

DataSection data_section(const PromptArguments& a) {
  DataSection data;
  data.prompt_template = a.prompt_template;
  data.question_field = a.field;
  data.system_prompt = a.system_prompt;
  data.chat_template_date = a.date;
  if (!a.variables.empty())
    data.chat_template_kwargs = parse_ordered_json(a.variables, "--chat-template-kwargs");
  if (!data.chat_template_kwargs.is_object())
    fail("--chat-template-kwargs: expected a JSON object, found {}",
         data.chat_template_kwargs.type_name());
  if (a.prompt_template != "chat" &&
      !(a.system_prompt.empty() && a.date.empty() && a.variables.empty()))
    fail(
        "--system-prompt, --chat-template-date and --chat-template-kwargs are for "
        "--prompt-template chat");
  return data;
}

void add_storage_option(CLI::App& command, std::string& storage) {
  command
      .add_option("--storage", storage,
                  "number type of the weights in memory: f32, bf16 or fp16 (model.storage)")
      ->check(CLI::IsMember({"f32", "bf16", "fp16"}));
}

void add_device_option(CLI::App& command, std::string& device) {
  command
      .add_option("--device", device,
                  "where to compute: auto (the CPU for now), cpu or cuda (device)")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
}

const char* finish_name(FinishReason finish) {
  switch (finish) {
    case FinishReason::Stop:
      return "stop";
    case FinishReason::String:
      return "string";
    case FinishReason::Length:
      return "length";
  }
  return "length";
}

void say_warnings(const Config& config) {
  for (const auto& warning : config_warnings(config))
    spdlog::warn("{}", warning);
}

}  // namespace aha
