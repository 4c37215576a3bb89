// Chat templates and published rows, as a user meets them.
#include "tests/end_to_end/small_job.h"
#include "tests/support/catch.h"

using namespace aha_test;
namespace fs = std::filesystem;

namespace {

const char* const kChat =
    "{% if messages[0].role == 'tool' %}{{ raise_exception('a tool cannot begin') }}{% endif %}"
    "{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt and bar %} |"
    "{% endif %}";

/// A trained parity model with chat templates beside its tokenizer.
struct ChatModel {
  ChatModel() {
    spill(folder / "job.yaml", small_job(folder / "teacher"));
    const auto end = run_aha({"train", (folder / "job.yaml").string()});
    INFO(end.err);
    REQUIRE(end.code == 0);
    fs::copy(fs::canonical(folder / "teacher" / "latest"), folder / "model",
             fs::copy_options::recursive);
    spill(folder / "model" / "chat_template.jinja", kChat);
    spill(folder / "model" / "additional_chat_templates" / "rag.jinja", "rag");
    spill(
        folder / "data.jsonl",
        R"({"prompt": [{"role": "user", "content": "1 0 1 0 0 1 0 1"}], "bits": [1,0,1,0,0,1,0,1], "answer": 0})"
        "\n"
        R"({"prompt": "1 1 1 0 0 1 0 1", "bits": [1,1,1,0,0,1,0,1], "answer": 1})"
        "\n");
    spill(folder / "chat.yaml",
          "output_dir: " + (folder / "run").string() +
              "\nmodel: {path: " + (folder / "model").string() +
              "}\ndata:\n  train: {path: " + (folder / "data.jsonl").string() +
              "}\n  question_field: prompt\n  prompt_template: chat\n"
              "  chat_template_kwargs: {bar: true}\n  max_prompt_length: 9\n"
              R"(rollout: {num_generations: 4, max_completion_length: 11}
reward:
  functions: [{name: parity}]
train: {max_steps: 1, prompts_per_step: 1, threads: 2}
)");
  }
  std::string path(const char* name) const { return (folder / name).string(); }
  TempFolder folder;
};

const ChatModel& model() {
  static const ChatModel made;
  return made;
}

}  // namespace

TEST_CASE("chat: check shows the rendered prompt, train keeps every template in its checkpoint") {
  const auto& m = model();
  const auto plan = run_aha({"check", m.path("chat.yaml")});
  INFO(plan.err);
  REQUIRE(plan.code == 0);
  CHECK_THAT(plan.out, contains("prompt     \"1 0 1 0 0 1 0 1 |\" = [") && contains("9 tokens"));
  const auto end = run_aha({"train", m.path("chat.yaml")});
  INFO(end.err);
  REQUIRE(end.code == 0);
  const auto saved = m.folder / "run" / "latest";
  CHECK(slurp(saved / "chat_template.jinja") == kChat);
  CHECK(slurp(saved / "additional_chat_templates" / "rag.jinja") == "rag");
  const auto resumed = run_aha({"train", m.path("chat.yaml"), "--resume", "auto"});
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  const auto rows = run_aha({"tokenize", "--model", saved.string()},
                            R"({"messages": [{"role": "user", "content": "1 0"}], "bar": true,)"
                            R"( "add_generation_prompt": true, "id": 5})"
                            "\n"
                            R"({"messages": [], "options": {"chat_template": "rag"}})"
                            "\n");
  // the second template writes a word that the tokenizer does not have
  CHECK(rows.code == 2);
  CHECK_THAT(rows.err, contains("standard input:2"));
  const auto first = aha::Json::parse(rows.out.substr(0, rows.out.find('\n')));
  CHECK(first.at("text") == "1 0 |");
  CHECK(first.at("ids").size() == 3);
  CHECK(first.at("id") == 5);
}

TEST_CASE("chat: generate and eval take questions and conversations") {
  const auto& m = model();
  const std::vector<std::string> chat = {"--model",
                                         m.path("model"),
                                         "--prompt-template",
                                         "chat",
                                         "--chat-template-kwargs",
                                         R"({"bar": true})",
                                         "--field",
                                         "prompt"};
  auto generate = chat;
  generate.insert(generate.begin(), "generate");
  generate.push_back(m.path("data.jsonl"));
  const auto end = run_aha(generate);
  INFO(end.err);
  CHECK(end.code == 0);
  CHECK(std::count(end.out.begin(), end.out.end(), '\n') == 2);
  auto eval = chat;
  eval.insert(eval.begin(), "eval");
  eval.insert(eval.end(), {"--reward", "parity", "-"});
  const auto result = run_aha(eval, slurp(m.folder / "data.jsonl"));
  INFO(result.err);
  REQUIRE(result.code == 0);
  const auto row = aha::Json::parse(result.out);
  CHECK(row.at("set") == "standard_input");
  CHECK(row.at("prompts") == 2);
}

TEST_CASE("chat: what is wrong is one line, and nothing is written") {
  const auto& m = model();
  const auto refused = [&](const std::vector<std::string>& settings) {
    std::vector<std::string> arguments = {"train", m.path("chat.yaml"), "--set",
                                          "output_dir=" + m.path("none")};
    for (const auto& setting : settings)
      arguments.insert(arguments.end(), {"--set", setting});
    const auto end = run_aha(arguments);
    CHECK(end.code == 2);
    CHECK_FALSE(fs::exists(m.folder / "none"));
    CHECK(std::count(end.err.begin(), end.err.end(), '\n') == 1);
    return end.err;
  };
  CHECK_THAT(refused({"data.chat_template_kwargs.baz=true"}), contains("never speaks of 'baz'"));
  CHECK_THAT(refused({"data.chat_template=x"}), contains("there is no chat template 'x'"));
  CHECK_THAT(refused({"model.tokenizer=" + m.path("teacher/latest")}),
             contains("there is no chat template"));
  CHECK_THAT(refused({"data.prompt_template=raw", "data.chat_template_kwargs={}"}),
             contains("data.jsonl:1: 'prompt' is a conversation"));
  spill(m.folder / "tool.jsonl", R"({"prompt": [{"role": "tool", "content": "1"}], "answer": 1})");
  CHECK_THAT(refused({"data.train.path=" + m.path("tool.jsonl")}),
             contains("tool.jsonl:1: 'prompt': ") && contains("a tool cannot begin"));
}

TEST_CASE("inspect: says what is in a file, as a text and as JSON") {
  const std::string samples = std::string(AHA_SOURCE_DIR) + "/data/samples/";
  const auto end =
      run_aha({"inspect", samples + "gsm8k_train.jsonl", "--eval", samples + "gsm8k_test.jsonl"});
  INFO(end.err);
  REQUIRE(end.code == 0);
  for (const char* part : {"200 rows in format gsm8k", "answer (text), question (text)", "median",
                           "200 of 200 can be judged by numeric", "duplicates none", ": none"})
    CHECK_THAT(end.out, contains(part));
  const auto json = run_aha({"inspect", "-", "--json", "--format", "aime", "--reward", "numeric"},
                            slurp(samples + "aime_invented.jsonl"));
  INFO(json.err);
  REQUIRE(json.code == 0);
  const auto report = aha::Json::parse(json.out);
  CHECK(report.at("rows") == 10);
  CHECK(report.at("unparseable").at("count") == 0);
  CHECK(report.at("overlap").is_null());
  const auto tokens =
      run_aha({"inspect", "-", "--tokenizer", model().path("model"), "--field", "prompt"},
              "{\"prompt\": \"1 0 1\"}\n");
  CHECK_THAT(tokens.out, contains("tokens: min 3, median 3"));
  CHECK(run_aha({"inspect", samples}).code == 2);
  CHECK(run_aha({"inspect", "-"}, "").code == 2);
}
