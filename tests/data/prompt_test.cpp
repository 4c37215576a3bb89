#include "data/prompt.h"

#include "data/prompt_set.h"
#include "data/tokenizer/word_level.h"
#include "tests/data/data_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

std::unique_ptr<Tokenizer> letters() {
  const std::vector<std::string> words = {"a", "b", "c", "d", "<eos>"};
  return make_word_level_tokenizer(words);
}

std::unique_ptr<Dataset> rows_of(const TempFolder& folder, const std::string& text) {
  return std::make_unique<JsonlDataset>(written(folder, "d.jsonl", text), JsonlOptions{});
}

}  // namespace

TEST_CASE("prompt: r1_zero is the published text", "[prompt]") {
  const Json row{{"problem", "What is 1 + 1?"}};
  const std::string published =  // DeepSeek-R1, arXiv:2501.12948v1, table 1
      "A conversation between User and Assistant. The user asks a question, and the Assistant "
      "solves "
      "it. The assistant first thinks about the reasoning process in the mind and then provides "
      "the "
      "user with the answer. The reasoning process and answer are enclosed within <think> </think> "
      "and <answer> </answer> tags, respectively, i.e., <think> reasoning process here </think> "
      "<answer> answer here </answer>. User: prompt. Assistant:";
  auto wanted = published;
  wanted.replace(wanted.find("prompt."), 6, "What is 1 + 1?");
  const PromptTemplate plain("r1_zero", "problem");
  CHECK(plain.text(row, "x") == wanted);
  CHECK(plain.prefill("").empty());
  CHECK(plain.fields() == std::vector<std::string>{"problem"});
  const PromptTemplate thinking("r1_zero_think", "problem");
  CHECK(thinking.text(row, "x") == wanted + " <think>");
  CHECK(thinking.prefill("") == "<think>");
}

TEST_CASE("prompt: fields, escapes and prefill of a text of one's own", "[prompt]") {
  const Json row{{"nums", {44, 19}}, {"target", 25}, {"f", 0.5}, {"t", true}, {"s", "{x}"}};
  CHECK(PromptTemplate("raw", "s").text(row, "x") == "{x}");
  CHECK(PromptTemplate("{nums}={target}", "q").text(row, "x") == "[44, 19]=25");
  CHECK(PromptTemplate("{{{s}}} {f}{t}", "q").text(row, "x") == "{{x}} 0.5true");
  const PromptTemplate custom("Q: {s} {s} {target}\n<think>\n", "q");
  CHECK(custom.fields() == std::vector<std::string>{"s", "target"});
  CHECK(custom.prefill("") == "<think>\n");
  CHECK(custom.text(row, "x") == "Q: {x} {x} 25\n<think>\n");
}

TEST_CASE("prompt: mistakes in a template are named", "[prompt]") {
  CHECK_THAT(error_of([] { PromptTemplate("r1zero", "q"); }), contains("the nearest is 'r1_zero'"));
  CHECK_THAT(error_of([] { PromptTemplate("", "q"); }), contains("has no {field}"));
  CHECK_THAT(error_of([] { PromptTemplate("a {q", "q"); }), contains("'{' at character 3"));
  CHECK_THAT(error_of([] { PromptTemplate("{}", "q"); }), contains("'{' at character 1"));
  CHECK_THAT(error_of([] { PromptTemplate("{a{b}", "q"); }), contains("'{' at character 1"));
  CHECK_THAT(error_of([] { PromptTemplate("{q} }", "q"); }), contains("'}' at character 5"));
  const Json row{{"problem", "x"}, {"answer", nullptr}};
  CHECK(error_of([&] { PromptTemplate("raw", "question").text(row, "f.jsonl:3"); }) ==
        "f.jsonl:3: the prompt template needs field 'question'; the row has answer and problem");
  CHECK_THAT(error_of([&] { PromptTemplate("raw", "answer").text(row, "f"); }),
             contains("'answer'"));
}

TEST_CASE("prompt: the ideal completion has the form that the template asks for", "[prompt]") {
  const auto ideal = [](const std::string& text, const std::string& answer) {
    const PromptTemplate prompt(text, "q");
    return prompt.ideal(answer, prompt.text(Json{{"q", "x"}}, "x"));
  };
  CHECK(ideal("raw", "so\n#### 72") == "so\n#### 72");
  CHECK(ideal("{q} End with ####.", "72") == "#### 72");
  CHECK(ideal("{q} End with ####.", "so\n#### 72") == "so\n#### 72");
  CHECK(ideal("r1_zero", "so\n#### 72") == "<think> ... </think> <answer> 72 </answer>");
  CHECK(ideal("r1_zero_think", "72") == "<think> ... </think> <answer> 72 </answer>");
  CHECK(ideal("{q} <answer></answer>\n<think>\n", "72") ==
        "<think>\n... </think> <answer> 72 </answer>");
  CHECK(ideal("{q} within \\boxed{{}}.", " 72") == "\\boxed{72}");
  CHECK(ideal("{q} within \\boxed{{}}.<think>", "72") == "<think> ... </think> \\boxed{72}");
}

TEST_CASE("prompts: rows become ids, with place, source and row number", "[prompt]") {
  const TempFolder folder;
  const auto tokenizer = letters();
  const PromptSet prompts(
      rows_of(folder, "{\"question\": \"a b\"}\n\n{\"question\": \"c\", \"source\": \"s\"}\n"),
      PromptTemplate("raw", "question"), *tokenizer, {});
  REQUIRE(prompts.size() == 2);
  CHECK(prompts.prompt(0).ids == std::vector<TokenId>{0, 1});
  CHECK(prompts.prompt(0).source == "d");
  CHECK(prompts.prompt(1).source == "s");
  CHECK(prompts.prompt(1).row == 1);
  CHECK(prompts.prompt(1).fields["question"] == "c");
  CHECK(prompts.where(1) == (folder / "d.jsonl").string() + ":3");
  CHECK(prompts.longest() == 2);
  CHECK(prompts.mean_length() == 1.5);
}

TEST_CASE("prompts: over-long ones stop the run or are dropped with a count", "[prompt]") {
  const TempFolder folder;
  const auto tokenizer = letters();
  const std::string text =
      "{\"question\": \"a b c\"}\n{\"question\": \"a b\"}\n{\"question\": \"a b c d\"}\n"
      "{\"question\": \"d\"}\n";
  const auto raw = [] { return PromptTemplate("raw", "question"); };
  const auto message = error_of([&] {
    PromptSet(rows_of(folder, text), raw(), *tokenizer, {2, false});
  });
  CHECK_THAT(message, contains("d.jsonl:1: the prompt has 3 tokens, data.max_prompt_length is 2"));
  CHECK_THAT(message, contains("d.jsonl:3: the prompt has 4 tokens"));

  const PromptSet kept(rows_of(folder, text), raw(), *tokenizer, {2, true});
  REQUIRE(kept.size() == 2);
  CHECK(kept.dropped() == 2);
  CHECK(kept.prompt(1).row == 3);
  CHECK(kept.prompt(1).text == "d");
  CHECK_THAT(error_of([&] {
               PromptSet(rows_of(folder, text), raw(), *tokenizer, {0, true});
             }),
             contains("all 4 prompts are longer"));
}

TEST_CASE("prompts: words without an id and empty prompts name their row", "[prompt]") {
  const TempFolder folder;
  const auto tokenizer = letters();
  const auto raw = [] { return PromptTemplate("raw", "question"); };
  CHECK_THAT(error_of([&] {
               PromptSet(rows_of(folder, "{\"question\": \"a z\"}\n"), raw(), *tokenizer, {});
             }),
             contains("d.jsonl:1: the tokenizer has no id for 'z'"));
  CHECK_THAT(error_of([&] {
               PromptSet(rows_of(folder, "{\"question\": \" \"}\n"), raw(), *tokenizer, {});
             }),
             contains("d.jsonl:1: the prompt is empty"));
}

TEST_CASE("prompt: the tags of an ideal completion are set in three ways") {
  CHECK(tag_layouts("<think> ... </think> <answer> 7 </answer>") ==
        std::vector<std::string>{"<think> ... </think> <answer> 7 </answer>",
                                 "<think> ... </think>\n<answer> 7 </answer>",
                                 "<think>\n...\n</think>\n<answer>\n7\n</answer>"});
  CHECK(tag_layouts("7") == std::vector<std::string>{"7"});
  CHECK(tag_layouts("<answer> 7 </answer>").size() == 1);
}

TEST_CASE("prompts: an endless task is checked as it is drawn", "[prompt]") {
  DataSource source;
  source.task = "parity";
  auto dataset = open_dataset(source, {});
  const auto words = make_task("parity", {})->vocabulary();
  const auto tokenizer = make_word_level_tokenizer(words);
  const PromptSet prompts(std::move(dataset), PromptTemplate("raw", "question"), *tokenizer,
                          {17, false});
  CHECK_FALSE(prompts.size());
  CHECK(prompts.prompt(1000000).ids.size() == 17);
  const PromptSet tight(open_dataset(source, {}), PromptTemplate("raw", "question"), *tokenizer,
                        {16, true});
  CHECK_THAT(error_of([&] { tight.prompt(5); }),
             contains("parity row 5: the prompt has 17 tokens"));
}
