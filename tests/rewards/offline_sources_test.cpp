// Rows as aha, TRL and verl write them, their labels, and scorers of one's own.
#include "rewards/programs.h"
#include "tests/rewards/external_support.h"
#include "tests/rewards/offline_support.h"
#include "tests/support/catch.h"
#include "trainer/metrics/completion_rows.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

/// The row of completions/ for a completion of three tokens.
OrderedJson aha_row(const Json& fields, const std::string& text, FinishReason finish) {
  static const std::vector<std::string> kNames = {"countdown"};
  CompletionRowInputs inputs;
  inputs.stage = "grpo";
  inputs.reward_names = kNames;
  Group group;
  group.prompt.text = "?";
  group.prompt.fields = fields;
  auto& completion = group.completions.emplace_back();
  completion.text = text;
  completion.ids = {5, 6, 7};
  completion.finish = finish;
  group.scores.push_back(
      {.parts = {{1.0, "3 * 5 - 2", "right", 1}}, .total = 1.0, .accuracy = 1.0});
  return completion_row(inputs, group, 0);
}

}  // namespace

TEST_CASE("score: a label that no row has is said", "[offline]") {
  OfflineOptions options{parse_reward_spec("numeric"), {}, "in.jsonl"};
  options.label = "rihgt";
  std::istringstream in("{\"gold\": 1, \"prediction\": 1, \"right\": true}\n");
  std::ostringstream out;
  CHECK(score_jsonl(in, out, options).bad_text() ==
        "--label rihgt: no row has such a field with a number, true or false");
  CHECK_THAT(out.str(), contains("\"score\":1"));
}

TEST_CASE("score: messages may be one, and their contents lists of parts", "[offline]") {
  const auto score = [](const std::string& completion) {
    return scored("numeric", R"({"gold": 5, "completion": )" + completion + "}").rows[0]["score"];
  };
  CHECK(
      score(
          R"([{"role":"assistant","content":[{"type":"text","text":"so "},{"type":"text","text":"5"}]}])") ==
      1);
  CHECK(score(R"({"role":"assistant","content":"so 5"})") == 1);
  CHECK(score(R"({"role":"assistant","content":[{"type":"text","text":"6"}]})") == 0);
  CHECK(
      score(
          R"([{"role":"user","content":[{"type":"image"}]},{"role":"assistant","content":null},{"role":"assistant","content":"5"}])") ==
      1);
  CHECK_THAT(error_of([&] { score(R"({"role":"assistant"})"); }), contains("nor messages"));
}

TEST_CASE("score: a row that aha has written is judged as it was", "[offline]") {
  const Json fields = {{"nums", {3, 5, 2}},
                       {"target", 13},
                       {"answer", "12"},
                       {"completion", "<answer> 1 </answer>"},
                       {"solution", "13"}};
  auto row = aha_row(fields, "<think> a </think> <answer> 3 * 5 - 2 </answer>", FinishReason::Stop);
  const auto again = [&](const std::string& spec,
                         const std::map<std::string, std::string>& names = {}) {
    return scored(spec, dump_line(row) + "\n", names).rows.front();
  };
  CHECK(again("countdown")["score"] == 1);
  CHECK(again("format:verifier=countdown")["score"] == 1);
  CHECK(again("math")["score"] == 0);
  CHECK(again("math", {{"gold", "solution"}})["score"] == 1);
  CHECK(again("math:answer_field=solution")["score"] == 1);
  CHECK(again("length:max=6")["score"] == -0.5);
  // its own words on the score stay
  CHECK(again("countdown")["reasons"]["countdown"] == "right");
  CHECK(again("countdown")["fields"] == fields);
  row = aha_row({{"answer", "1"}}, "0 1 = 1", FinishReason::Stop);
  CHECK(again("parity")["score"] == 1);
  row = aha_row({{"answer", "1"}, {"gold", "0"}}, "0 1 = 1", FinishReason::Length);
  CHECK(again("parity")["reason"] == "truncated");
}

TEST_CASE("score: of a large row aha keeps what it has room for", "[offline]") {
  const auto row =
      aha_row({{"answer", "5"}, {"tests", std::string(70'000, 'x')}}, "5", FinishReason::Stop);
  CHECK(row["fields"] == OrderedJson{{"answer", "5"}});
  CHECK(row["fields_left_out"] == OrderedJson::array({"tests"}));
}

TEST_CASE("score: a label that is a number is the score, to rounding", "[offline]") {
  const auto agreeing = [](const std::string& label) {
    OfflineOptions options{parse_reward_spec("length:max=4"), {}, "in.jsonl"};
    options.label = "wanted";
    std::istringstream in(R"({"completion_len": 1, "wanted": )" + label + "}");
    std::ostringstream out;
    return score_jsonl(in, out, options).agreeing == 1;
  };
  CHECK(agreeing("-0.25"));
  CHECK(agreeing("-0.2500000001"));
  CHECK(agreeing("false"));
  CHECK_FALSE(agreeing("-0.99"));
  CHECK_FALSE(agreeing("0"));
  CHECK_FALSE(agreeing("true"));
}

TEST_CASE("score: a scorer of one's own has the prompt, as TRL and verl write it", "[offline]") {
  // tells the bytes of the prompt
  const std::string script =
      "import json, sys\n"
      "print(sys.stdin.readline().strip(), flush=True)\n"
      "for line in sys.stdin:\n"
      "    a = json.loads(line)\n"
      "    print(json.dumps({'id': a['id'], 'score': 0, 'breakdown': a['prompt']}), flush=True)\n";
  if (!program_path("python3")) return;
  OfflineOptions options;
  options.reward.name = "command";
  options.reward.options = {{"command", Json{"python3", "-c", script}.dump()}};
  std::istringstream in(
      R"({"prompt": [{"role": "system", "content": "Think."}, {"role": "user", "content": [{"type": "text", "text": "2+2"}]}], "completion": "4"})"
      "\n"
      R"({"input": "3+3", "output": "6", "gts": "6"})"
      "\n"
      R"({"prompt": "4+4", "input": "no", "completion": "8"})"
      "\n"
      R"({"prompt": "<think> is a tag. 5+5 <think>\n", "completion": "<think>\nso </think> 10"})"
      "\n");
  std::stringstream out;
  REQUIRE(score_jsonl(in, out, options).rows == 4);
  std::vector<std::string> prompts;
  for (std::string line; std::getline(out, line);)
    prompts.push_back(Json::parse(line)["reason"]);
  CHECK(prompts == std::vector<std::string>{"Think.\n2+2", "3+3", "4+4", "<think> is a tag. 5+5 "});
}

TEST_CASE("score: agreement with a label, and rows as TRL, verl and aha write them", "[offline]") {
  auto cut = aha_row({{"answer", "5"}}, "it is 5", FinishReason::Length);
  cut["right"] = 0;
  std::istringstream in(
      R"({"gold": "5", "completion": [{"role": "user", "content": "6"}, {"role": "assistant", "content": "so 5"}], "right": 1})"
      "\n"
      R"({"gts": "5", "output": "so \\boxed{6}", "right": true})"
      "\n" +
      dump_line(cut) + "\n");
  std::ostringstream out;
  OfflineOptions options;
  options.reward = parse_reward_spec("math");
  options.label = "right";
  options.explain = true;
  const auto summary = score_jsonl(in, out, options);
  const auto said = summary.text();
  CHECK(said.substr(0, said.find("\nmost steps: line ")) ==
        "3 rows: 1 equal, 2 different, 0 not judged\n"
        "agreement with the label: 2 of 3 (66.67 %)\n"
        "              label 1  label 0\n"
        "       equal        1        0\n"
        "   different        1        1\n"
        "  not judged        0        0");
  const auto text = out.str();
  const auto first = parse_json(text.substr(0, text.find('\n')), "out");
  CHECK(first["score"] == 1);
  CHECK(first["explanation"][0] == "gold: '5' (whole)");
  CHECK(first["explanation"][1] == "gold reads: 5");
}

TEST_CASE("score: a scorer of one's own is asked for many rows at once, which come out in order",
          "[offline][external]") {
  // one that answers only when it has two requests, the second one first
  OfflineOptions options;
  options.reward.name = "command";
  options.reward.options = {{"command", Json{external_scorer(), "in pairs"}.dump()},
                            {"in_flight", "2"},
                            {"answer_limit_s", "5"}};
  constexpr int kRows = 100;
  std::stringstream in;
  std::stringstream out;
  for (int i = 0; i < kRows; ++i)
    in << Json{{"n", i}, {"completion", std::string(static_cast<std::size_t>(i % 7), 'x')}} << "\n";
  const auto summary = score_jsonl(in, out, options);
  CHECK(summary.rows == kRows);
  CHECK(summary.unjudged == 0);
  int n = 0;
  for (std::string line; std::getline(out, line); ++n) {
    const auto row = Json::parse(line);
    CHECK(row["n"] == n);
    CHECK(row["score"] == static_cast<double>(n % 7) / 4);
  }
  CHECK(n == kRows);
}

TEST_CASE("score: a score out of all proportion is none, as in a run", "[offline][external]") {
  OfflineOptions options;
  options.reward.name = "command";
  options.reward.options = {{"command", Json{external_scorer(), "well"}.dump()}};
  std::stringstream in(Json{{"completion", "wild"}}.dump());
  std::stringstream out;
  CHECK(score_jsonl(in, out, options).unjudged == 1);
  const auto row = Json::parse(out.str());
  CHECK(row["score"].is_null());
  CHECK(row["reason"] == "the score is -2000000, expected at most 1000000 in size");
}
