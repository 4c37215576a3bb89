#include "tests/rewards/offline_support.h"
#include "tests/support/catch.h"
#include "tests/support/error_of.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

TEST_CASE("score: fields are echoed in their order and five are added", "[offline]") {
  const auto result = scored("numeric",
                             "{\"z\": 1, \"gold\": \"#### 1,000\", \"prediction\": \"1000\", "
                             "\"a\": [1, {\"k\": null}]}\n");
  CHECK(result.text ==
        "{\"z\":1,\"gold\":\"#### 1,000\",\"prediction\":\"1000\",\"a\":[1,{\"k\":null}],"
        "\"score\":1,\"outcome\":\"equal\",\"extracted\":\"1000\",\"reason\":\"right\",\"steps\":1}"
        "\n");
  CHECK(result.summary.rows == 1);
  CHECK(result.summary.equal == 1);
}

TEST_CASE("score: numbers are judged and come out as they are written", "[offline]") {
  const std::string row =
      R"({"gold":12345678901234567890123,"prediction":"12345678901234567890124","n":1.10,"far":1e400})";
  const auto different = scored("math", row);
  CHECK(different.rows.front()["score"] == 0);
  CHECK_THAT(different.text, contains(row.substr(0, row.size() - 1) + ",\"score\":0,"));
  CHECK(scored("math", R"({"gold":12345678901234567890123,"prediction":12345678901234567890123})")
            .rows.front()["score"] == 1);
  CHECK(scored("numeric", R"({"gold":0.1234567890123456789,"prediction":"0.1234567890123456788"})")
            .rows.front()["score"] == 0);
}

TEST_CASE("score: a verdict that a row has is replaced", "[offline]") {
  CHECK(scored("numeric", R"({"score":0,"gold":1,"steps":9,"prediction":"1","explanation":"x"})")
            .text == R"({"gold":1,"prediction":"1","explanation":"x","score":1,"outcome":"equal",)"
                     R"("extracted":"1","reason":"right","steps":1})"
                     "\n");
}

TEST_CASE("score: a byte order mark before any line is left out", "[offline]") {
  const std::string row = R"({"gold":1,"prediction":"1"})";
  const std::string mark = "\xEF\xBB\xBF";
  const auto result = scored("numeric", mark + row + "\n" + mark + row + "\n" + mark + "\n");
  CHECK(result.rows.size() == 2);
  CHECK(result.text.find(mark) == std::string::npos);
}

TEST_CASE("score: three outcomes", "[offline]") {
  const auto result = scored("numeric",
                             "{\"gold\": 5, \"prediction\": \"5\"}\n\n \t\n"
                             "{\"gold\": 5, \"prediction\": \"6\"}\r\n"
                             "{\"gold\": \"about 5\", \"prediction\": \"5\"}");
  REQUIRE(result.rows.size() == 3);
  CHECK(result.rows[0]["outcome"] == "equal");
  CHECK(result.rows[1]["outcome"] == "different");
  CHECK(result.rows[1]["score"] == 0);
  CHECK(result.rows[1]["reason"] == "6, wanted 5");
  CHECK(result.rows[2]["outcome"] == "unjudged");
  CHECK(result.rows[2]["score"].is_null());
  CHECK(result.summary.rows == 3);
  CHECK(result.summary.equal == 1);
  CHECK(result.summary.different == 1);
  CHECK(result.summary.unjudged == 1);
}

TEST_CASE("score: completion comes before prediction, and an answer alone suits countdown",
          "[offline]") {
  const std::string row = R"("nums": [3, 5, 2], "target": 13)";
  CHECK(scored("countdown", "{" + row + R"(, "answer": "3+5*2"})").rows[0]["score"] == 1);
  CHECK(scored("countdown", "{" + row + R"(, "prediction": "3+5*2"})").rows[0]["score"] == 1);
  const auto both =
      scored("countdown",
             "{" + row + R"(, "completion": "so <answer>1</answer>", "prediction": "3+5*2"})");
  CHECK(both.rows[0]["score"] == 0);
  CHECK(both.rows[0]["extracted"] == "1");
  CHECK(scored("countdown", "{" + row + R"(, "completion": "3+5*2"})").rows[0]["score"] == 0);
  CHECK(scored("countdown:extraction=bare", "{" + row + R"(, "completion": "3+5*2"})")
            .rows[0]["score"] == 1);
  CHECK(scored("parity", R"({"gold": "1", "prediction": "1"})").rows[0]["score"] == 1);
  CHECK(scored("parity", R"({"answer": "1", "completion": "0 1 = 1"})").rows[0]["score"] == 1);
  CHECK(scored("countdown_wait", R"({"nums": [1, 2, 3], "target": 6, "prediction": "1 + 2 + 3"})")
            .rows[0]["score"] == 1);
}

TEST_CASE("score: a row may not say what is run or asked", "[offline]") {
  for (const char* option : {"python", "compiler", "allow_no_isolation"})
    CHECK_THAT(error_of([&] {
                 scored("code", R"({"completion": "x", "tests": ["f"], "params": {")" +
                                    std::string(option) +
                                    R"(": "true"}})"
                                    "\n");
               }),
               contains(std::string("'params' sets '") + option + "', which a row may not"));
  CHECK_FALSE(reward_info("command").takes_from_row("command"));
  CHECK_FALSE(reward_info("http").takes_from_row("url"));
  CHECK(reward_info("code").takes_from_row("max_tests"));
}

TEST_CASE("score: ids, lengths, truncation and params of a row", "[offline]") {
  CHECK(scored("repetition:ngram_size=2", R"({"completion_ids": [5, 5, 5, 5, 5]})")
            .rows[0]["score"] == -0.75);
  CHECK(scored("length:max=10", R"({"completion_ids": [5, 5, 5, 5, 5]})").rows[0]["score"] == -0.5);
  CHECK(scored("soft_overlong:max=100,cache=20", R"({"completion_len": 90})").rows[0]["score"] ==
        -0.5);
  const auto params = scored("soft_overlong:max=100,cache=20",
                             R"({"completion_len": 90, "params": {"max": 90, "cache": "10"}})"
                             "\n"
                             R"({"completion_len": 90, "params": null})"
                             "\n");
  CHECK(params.rows[0]["score"] == -1);
  CHECK(params.rows[1]["score"] == -0.5);
  CHECK(scored("numeric", R"({"gold": 5, "completion": "so 5", "truncated": true})")
            .rows[0]["score"] == 0);
  CHECK(scored("soft_overlong:max=9", R"({"completion": "no length"})").rows[0]["outcome"] ==
        "unjudged");
}

TEST_CASE("score: other field names are mapped, and still echoed under their own", "[offline]") {
  const auto result = scored("numeric", R"({"solution": 7, "response": "it is 7"})",
                             {{"gold", "solution"}, {"completion", "response"}});
  CHECK(result.rows[0]["score"] == 1);
  CHECK(result.rows[0]["response"] == "it is 7");
  CHECK_FALSE(result.rows[0].contains("gold"));
  CHECK(error_of([] {
          scored("numeric", "{\"gold\": 1}", {{"prediction", "text"}});
        }) == "in.jsonl:1: no field 'text' (to be read as 'prediction')");
  CHECK_THAT(error_of([] {
               scored("numeric", "", {{"predictoin", "text"}});
             }),
             contains("the nearest is 'prediction'"));
}

TEST_CASE("score: bad rows are named with their line", "[offline]") {
  struct Row {
    std::string line;
    std::string message;
  };
  const auto row = GENERATE(values<Row>({
      {"{", "in.jsonl:3: not valid JSON"},
      {"[1]", "in.jsonl:3: expected a JSON object"},
      {"{\"gold\": 1}", "in.jsonl:3: neither 'completion' nor 'prediction'"},
      {"{\"completion\": null}", "in.jsonl:3: 'completion' is neither a text nor a number"},
      {"{\"completion\": [1]}", "in.jsonl:3: 'completion' is neither a text nor a number"},
      {"{\"completion_ids\": [1, \"a\"]}", "in.jsonl:3: 'completion_ids' is not a list"},
      {"{\"completion_len\": -1}", "in.jsonl:3: 'completion_len' is not a whole number"},
      {"{\"completion_len\": 1.5}", "in.jsonl:3: 'completion_len' is not a whole number"},
      {"{\"completion\": \"\", \"truncated\": 1}", "in.jsonl:3: 'truncated' is neither true"},
      {"{\"completion\": \"\", \"params\": 1}", "in.jsonl:3: 'params' is not an object"},
      {"{\"completion\": \"\", \"params\": {\"x\": 1}}", "in.jsonl:3: reward 'numeric': unknown"},
      {"{\"completion\": \"\xFF\"}", "in.jsonl:3: not valid JSON"},
      {std::string(300, '['), "in.jsonl:3: JSON nested deeper"},
  }));
  INFO(row.line.substr(0, 80));
  const std::string good = "{\"gold\": 1, \"prediction\": 1}\n";
  std::istringstream in(good + "\n" + row.line + "\n" + good);
  std::ostringstream out;
  const auto summary = score_jsonl(in, out, {parse_reward_spec("numeric"), {}, "in.jsonl"});
  CHECK(summary.bad == 1);
  const auto message = summary.bad_text();
  CHECK_THAT(message, contains(row.message));
  CHECK(message.find('\n') == std::string::npos);
  const auto written = out.str();
  CHECK(std::count(written.begin(), written.end(), '\n') == 2);  // the rows around it
}

TEST_CASE("score: of many bad rows the first 20 are named, and the good ones scored", "[offline]") {
  std::string input;
  for (int i = 0; i < 30; ++i)
    input += "{\"gold\": 1}\n{\"gold\": 1, \"prediction\": 1, \"right\": true}\n";
  std::istringstream in(input + "{\"gold\": 1, \"prediction\": 1, \"right\": \"text\"}\n");
  std::ostringstream out;
  OfflineOptions options{parse_reward_spec("numeric"), {}, "in.jsonl"};
  options.label = "right";
  const auto summary = score_jsonl(in, out, options);
  CHECK(summary.rows == 30);
  CHECK(summary.equal == 30);
  CHECK(summary.agreeing == 30);
  CHECK(summary.bad == 31);
  const auto text = summary.bad_text();
  CHECK(text.starts_with("in.jsonl:1: neither 'completion'"));
  CHECK_THAT(text, contains("\nin.jsonl:39: neither"));
  CHECK(text.find("in.jsonl:41:") == std::string::npos);
  CHECK_THAT(text, contains("\n... and 11 more\n31 rows were not scored, 30 were"));
  const auto written = out.str();
  CHECK(std::count(written.begin(), written.end(), '\n') == 30);
}

TEST_CASE("score: what ended the reading is said behind any number of bad rows", "[offline]") {
  std::string input;
  for (int i = 0; i < 30; ++i)
    input += "{\"gold\": 1}\n";
  std::istringstream in(input + std::string(1000, ' ') + "\n{\"gold\": 1, \"prediction\": 1}\n");
  std::ostringstream out;
  OfflineOptions options{parse_reward_spec("numeric"), {}, "in.jsonl"};
  options.most_line_bytes = 999;
  const auto summary = score_jsonl(in, out, options);
  CHECK(summary.rows == 0);
  CHECK(summary.bad == 30);
  CHECK_THAT(
      summary.bad_text(),
      contains("30 rows were not scored, 0 were\nin.jsonl:31: longer than 999 bytes; nothing"));
  std::istringstream alone(std::string(1000, ' '));
  CHECK(score_jsonl(alone, out, options).bad_text() ==
        "in.jsonl:1: longer than 999 bytes; nothing behind it was read");
}

TEST_CASE("score: a message shows no control characters of a row, and little of it", "[offline]") {
  const auto told = [](const std::string& key) {
    std::istringstream in("{\"gold\": 1, \"prediction\": 1, \"params\": {\"" + key + "\": 1}}\n");
    std::ostringstream out;
    return score_jsonl(in, out, {parse_reward_spec("numeric"), {}, "in.jsonl"}).bad_text();
  };
  CHECK_THAT(told("a\\u001b[31m\\u009b\\u007f\\nb\xC3\xA9"),
             contains("a\\x1b[31m\\x9b\\x7f\\x0ab\xC3\xA9"));
  std::string wide;
  for (int i = 0; i < 1'000'000; ++i)
    wide += "\xF0\x9F\x98\x80";
  for (const auto& key : {wide, "x" + wide, "xy" + wide, "xyz" + wide}) {
    const auto text = told(key);
    CHECK(text.size() <= 243);
    CHECK(text.size() > 235);
    CHECK_NOTHROW(Json(text).dump());  // strict about UTF-8
  }
}

TEST_CASE("score: an unknown reward stops before anything is read", "[offline]") {
  std::istringstream in("{}");
  std::ostringstream out;
  CHECK_THAT(error_of([&] {
               score_jsonl(in, out, {parse_reward_spec("numerc"), {}, "in"});
             }),
             contains("the nearest is 'numeric'"));
  CHECK(in.tellg() == 0);
}
