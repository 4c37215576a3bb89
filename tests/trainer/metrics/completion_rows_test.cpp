#include "trainer/metrics/completion_rows.h"

#include <limits>

#include "tests/support/catch.h"
#include "tests/trainer/metrics/metrics_support.h"
#include "trainer/core/error.h"

using namespace aha;
using aha_test::completion;

namespace {

const std::vector<std::string> kNames = {"countdown", "length"};

CompletionRowInputs inputs(bool ids) {
  CompletionRowInputs in;
  in.stage = "grpo";
  in.step = 3;
  in.global_step = 8;
  in.reward_names = kNames;
  in.ids = ids;
  return in;
}

Group group() {
  Group g;
  g.ordinal = 41;
  g.prompt.row = 7;
  g.prompt.text = "1 + 1 =";
  g.prompt.ids = {5, 6};
  g.prompt.source = "sums";
  g.completions.push_back(completion(2, false, "2"));
  g.completions.push_back(completion(3, true, "bad \xff text"));
  g.completions[1].index = 1;
  return g;
}

}  // namespace

TEST_CASE("completion_row: every field in its place", "[metrics]") {
  Group g = group();
  Score score;
  score.parts = {{1.0, "2", "equal", 0}, {-0.5, "", "", 0}};
  score.total = 0.75;
  score.accuracy = 1.0;
  g.scores = {score, score};
  g.prompt.fields = {{"answer", "2"}, {"nums", {1, 1}}};
  CHECK(
      dump_line(completion_row(inputs(true), g, 0, 1.5)) ==
      R"({"step":3,"global_step":8,"stage":"grpo","ordinal":41,"row":7,"source":"sums","index":0,)"
      R"("prompt":"1 + 1 =","completion":"2","length":2,"finish":"stop",)"
      R"("fields":{"answer":"2","nums":[1,1]},)"
      R"("rewards":{"countdown":1.0,"length":-0.5},"reward":0.75,"accuracy":1.0,)"
      R"("extracted":{"countdown":"2"},"reasons":{"countdown":"equal"},"advantage":1.5,"prompt_ids":[5,6],"completion_ids":[1,1]})");
}

TEST_CASE("completion_row: what cannot be judged is null, what is no number too", "[metrics]") {
  Group g = group();
  Score score;
  score.parts = {{std::nullopt, "", "no answer", 0},
                 {std::numeric_limits<double>::quiet_NaN(), "", "", 0}};
  g.scores = {score, score};
  const auto line = dump_line(completion_row(inputs(false), g, 1));
  CHECK(line.find(R"("rewards":{"countdown":null,"length":null},"reward":null,"accuracy":null,)"
                  R"("reasons":{"countdown":"no answer"}})") != std::string::npos);
  CHECK(line.find("advantage") == std::string::npos);
}

TEST_CASE("completion_row: text that is no UTF-8 is still one line of JSON", "[metrics]") {
  const auto line = dump_line(completion_row(inputs(false), group(), 1));
  CHECK(parse_json(line, "line")["completion"] == "bad \xef\xbf\xbd text");
  CHECK(parse_json(line, "line")["finish"] == "length");
  CHECK_FALSE(parse_json(line, "line").contains("reward"));
}

TEST_CASE("completion_row: a score without a part for each reward is our bug", "[metrics]") {
  Group g = group();
  g.scores.resize(2);
  CHECK_THROWS_AS(completion_row(inputs(false), g, 0), InternalError);
}

TEST_CASE("completion_row: log-probabilities and entropies have four decimals", "[metrics]") {
  Group g = group();
  g.completions[0].logprobs = {-0.123456F, -2.0F};
  g.completions[0].entropies = {0.5F, 0.00004F};
  auto in = inputs(false);
  in.logprobs = true;
  const auto line = dump_line(completion_row(in, g, 0));
  CHECK(line.find(R"("logprobs":[-0.1235,-2.0],"entropies":[0.5,0.0])") != std::string::npos);
}
