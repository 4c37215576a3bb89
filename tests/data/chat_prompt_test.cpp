// Conversations against what transformers renders: tests/golden/data/make_chat_golden.py.
#include "data/chat_prompt.h"

#include "data/prompt_set.h"
#include "tests/data/data_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

const char* const kPlain =
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% if think %}<think>\n{% endif %}{% endif %}";

OrderedJson json(const std::string& text) {
  return parse_ordered_json(text, "test");
}

/// A prompt template over a chat template of one's own.
PromptTemplate chat(const std::string& source, const std::string& variables = "{}",
                    const std::string& system = "") {
  ChatPromptOptions options;
  options.system_prompt = system;
  options.chat.variables = json(variables);
  return {ChatPrompt(ChatTemplate(source, "t", {{"bos_token", "<b>"}}), options), "q"};
}

std::string text_of(const PromptTemplate& prompt, const std::string& question) {
  return prompt.text(OrderedJson{{"q", json(question)}}, "d.jsonl:3");
}

/// A folder with a tokenizer of these words and `<b>`, which its post_processor puts before a text.
void write_tokenizer(const TempFolder& folder) {
  written(folder, "tokenizer.json", R"({
    "added_tokens": [{"id": 0, "content": "<b>", "special": true, "single_word": false,
                      "lstrip": false, "rstrip": false, "normalized": false}],
    "normalizer": null, "pre_tokenizer": null, "decoder": {"type": "Fuse"},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<b>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
      "pair": [], "special_tokens": {"<b>": {"id": "<b>", "ids": [0], "tokens": ["<b>"]}}},
    "model": {"type": "BPE", "merges": [],
      "vocab": {"<b>": 0, "u": 1, "[": 2, "]": 3, "a": 4, "s": 5, "e": 6, "r": 7, "i": 8, "t": 9, "n": 10}}})");
  written(folder, "tokenizer_config.json", R"({"bos_token": "<b>"})");
}

}  // namespace

TEST_CASE("chat prompt: a question is what transformers renders of a user's message",
          "[chat_prompt][golden]") {
  const auto golden = json(read_file(std::string(AHA_SOURCE_DIR) + "/tests/golden/data/chat.json"));
  std::int64_t seen = 0;
  for (const auto& test : golden["cases"]) {
    const auto& variables = golden["variables"][test["variables"].get<std::size_t>()];
    const auto talk = test["talk"].get<std::string>();
    const bool opens = variables.value("add_generation_prompt", false);
    if ((talk != "user" && talk != "system") || !opens || !test.contains("text")) continue;
    const auto name = test["template"].get<std::string>();
    const ChatTemplate source(golden["templates"][name].get<std::string>(), name);
    ChatPromptOptions options;
    for (const auto& [key, value] : variables.items())
      if (source.mentions(key)) options.chat.variables[key] = value;
    options.chat.variables.erase("add_generation_prompt");  // true is the default
    options.chat.date = golden["date"].get<std::string>();
    const auto& messages = golden["talks"][talk];
    if (talk == "system") options.system_prompt = messages[0]["content"].get<std::string>();
    const auto special = golden["special"].get<std::map<std::string, std::string>>();
    const ChatPrompt prompt(
        ChatTemplate(golden["templates"][name].get<std::string>(), name, special), options);
    CAPTURE(name, talk, variables.dump());
    const auto& question = messages[talk == "system" ? 1 : 0]["content"];
    const auto wanted = test["text"].get<std::string>();
    if (messages.size() == (talk == "system" ? 2 : 1))
      CHECK(prompt.text(question, "row") == wanted);
    CHECK(prompt.text(messages, "row") == wanted);
    ++seen;
  }
  CHECK(seen >= 16);
}

TEST_CASE("chat prompt: a system prompt goes before conversations without one", "[chat_prompt]") {
  const auto prompt = chat(kPlain, "{}", "S");
  CHECK(text_of(prompt, R"("hi")") == "<b>[system]S[user]hi[assistant]");
  CHECK(text_of(prompt, R"([{"role": "user", "content": "hi"}])") ==
        "<b>[system]S[user]hi[assistant]");
  CHECK(text_of(prompt,
                R"([{"role": "system", "content": "own"}, {"role": "user", "content": "hi"}])") ==
        "<b>[system]own[user]hi[assistant]");
  CHECK(text_of(chat(kPlain), R"("hi")") == "<b>[user]hi[assistant]");
  CHECK(text_of(chat(kPlain, R"({"add_generation_prompt": false})"),
                R"([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])") ==
        "<b>[user]a[assistant]b");
}

TEST_CASE("chat prompt: a thought that the template begins belongs to the completion",
          "[chat_prompt]") {
  const auto thinking = chat(kPlain, R"({"think": true})");
  const auto text = text_of(thinking, R"("1+1? <answer>")");
  CHECK(thinking.prefill(text) == "<think>\n");
  CHECK(thinking.ideal("2", text) == "<think>\n... </think> <answer> 2 </answer>");
  CHECK(chat(kPlain).prefill(text_of(chat(kPlain), R"("a <think>")")).empty());
  // what the user wrote last is no prefill
  const auto closed = chat(kPlain, R"({"add_generation_prompt": false})");
  CHECK(closed.prefill(text_of(closed, R"("a <think>")")).empty());
  // a thought that is closed already is not to be written again
  CHECK(chat("{{ messages[0].content }}<think>\n\n</think>\n\n")
            .ideal("2", "q<think>\n\n</think>\n\n") == "2");
}

TEST_CASE("chat prompt: keys of messages reach the template in the order of the file",
          "[chat_prompt]") {
  const TempFolder folder;
  write_tokenizer(folder);
  written(folder, "chat_template.jinja",
          "{% for m in messages %}{{ m.content|list|join }}{% endfor %}");
  const auto tokenizer = load_tokenizer(folder.path());
  DataSection data;
  data.prompt_template = "chat";
  data.question_field = "prompt";
  auto rows = std::make_unique<JsonlDataset>(
      written(folder, "d.jsonl",
              R"({"prompt": [{"role": "user", "content": {"u": 1, "s": 2, "a": 3}}]})"
              "\n"),
      JsonlOptions{});
  const PromptSet prompts(std::move(rows), open_prompt_template(data, *tokenizer), *tokenizer, {});
  CHECK(prompts.prompt(0).text == "usa");
  CHECK(prompts.prompt(0).ids == std::vector<TokenId>{1, 5, 4});
}

TEST_CASE(
    "chat prompt: what is no conversation, and what the template refuses, is named with its row",
    "[chat_prompt]") {
  const auto error = [](const PromptTemplate& prompt, const std::string& question) {
    return error_of([&] { text_of(prompt, question); });
  };
  const auto plain = chat(kPlain);
  CHECK(error(plain, "7") ==
        "d.jsonl:3: 'q': a chat template takes a text or a list of messages, found 7");
  CHECK_THAT(error(plain, "[]"), contains("d.jsonl:3: 'q': a chat template takes"));
  CHECK_THAT(error(plain, R"(["hi"])"), contains("d.jsonl:3: 'q': expected messages such as"));
  CHECK_THAT(error(plain, R"([{"content": "hi"}])"), contains("expected messages such as"));
  CHECK_THAT(
      error(plain, R"([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])"),
      contains("d.jsonl:3: 'q': the conversation ends with a message of the assistant"));
  const auto strict = chat(
      "{% if messages[0].role != 'user' %}{{ raise_exception('roles must alternate') }}{% endif "
      "%}");
  CHECK(error(strict, R"([{"role": "tool", "content": "x"}])") ==
        "d.jsonl:3: 'q': t: line 1: the template refuses: roles must alternate");
  CHECK_THAT(error(chat("{{ strftime_now('%Y') }}"), R"("x")"), contains("date"));
  CHECK_THAT(error_of([] {
               PromptTemplate("raw", "q")
                   .text(json(R"({"q": [{"role": "user", "content": "x"}]})"), "d:1");
             }),
             contains("d:1: 'q' is a conversation, which data.prompt_template: chat renders"));
}

TEST_CASE("chat prompt: variables that the template does not know are refused", "[chat_prompt]") {
  CHECK(error_of([] { chat(kPlain, R"({"thinks": true})"); }) ==
        "data.chat_template_kwargs: the model's chat template never speaks of 'thinks'");
  CHECK_THAT(error_of([] { chat(kPlain, R"({"thin": true})"); }), contains("'thin'"));
  CHECK_THAT(error_of([] { chat(kPlain, R"({"add_generation_prompt": "no"})"); }),
             contains("add_generation_prompt is true or false, not \"no\""));
  ChatPromptOptions options;
  options.chat.name = "rag";
  CHECK_THAT(error_of([&] { ChatPrompt(ChatTemplate(kPlain, "t"), options); }),
             contains("there is no chat template 'rag', only default"));
}

TEST_CASE("chat prompt: a folder without a template says so", "[chat_prompt]") {
  const TempFolder folder;
  write_tokenizer(folder);
  DataSection data;
  data.prompt_template = "chat";
  CHECK_THAT(error_of([&] { open_prompt_template(data, *load_tokenizer(folder.path())); }),
             contains(folder.path().string() + ": there is no chat template"));
}

TEST_CASE("prompt: one begin token stands before a text, whoever writes it", "[prompt]") {
  const TempFolder folder;
  write_tokenizer(folder);
  const auto tokenizer = load_tokenizer(folder.path());
  CHECK(PromptTemplate("raw", "q").ids(*tokenizer, "us") == std::vector<TokenId>{0, 1, 5});
  CHECK(chat(kPlain).ids(*tokenizer, "<b>us") == std::vector<TokenId>{0, 1, 5});
  CHECK(chat(kPlain).ids(*tokenizer, "us") == std::vector<TokenId>{1, 5});
  CHECK(error_of([&] { PromptTemplate("<b>{q}", "q").ids(*tokenizer, "<b>us"); }) ==
        "the prompt begins with the begin token '<b>' twice: the tokenizer puts one before a text; "
        "leave it out of data.prompt_template");
  CHECK_THAT(error_of([&] { chat(kPlain).ids(*tokenizer, "<b><b>us"); }),
             contains("the chat template writes one, and the question another"));
}

TEST_CASE("tokenizer files: named chat templates come along in the order of their names",
          "[tokenizer]") {
  const TempFolder folder;
  write_tokenizer(folder);
  std::filesystem::create_directory(folder / "additional_chat_templates");
  written(folder, "additional_chat_templates/tool_use.jinja", "tools");
  written(folder, "additional_chat_templates/rag.jinja", "rag");
  written(folder, "additional_chat_templates/notes.txt", "no template");
  written(folder, "chat_template.jinja", "plain");
  const auto tokenizer = load_tokenizer(folder.path());
  std::vector<std::string> names;
  for (const auto& [name, bytes] : tokenizer->files().bytes)
    names.push_back(name);
  CHECK(names == std::vector<std::string>{"additional_chat_templates/rag.jinja",
                                          "additional_chat_templates/tool_use.jinja",
                                          "chat_template.jinja", "tokenizer.json",
                                          "tokenizer_config.json"});
  const auto loaded = load_chat_template(tokenizer->files());
  ChatOptions options;
  options.name = "rag";
  CHECK(loaded.render(OrderedJson::array(), options) == "rag");
  CHECK(loaded.render(OrderedJson::array()) == "plain");
}
