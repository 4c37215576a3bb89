#include "data/inspect.h"

#include "data/tokenizer/word_level.h"
#include "tests/data/data_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

TEST_CASE("inspect: lengths have exact quantiles and a histogram that holds each once",
          "[inspect]") {
  Lengths lengths;
  for (std::int64_t i = 100; i >= 1; --i)
    lengths.add(i);
  CHECK(lengths.least() == 1);
  CHECK(lengths.quantile(0.5) == 50);
  CHECK(lengths.quantile(0.95) == 95);
  CHECK(lengths.most() == 100);
  const auto bins = lengths.histogram(10);
  REQUIRE(bins.size() == 10);
  for (const auto& bin : bins)
    CHECK(bin.count == 10);
  CHECK(bins.back().from == 91);
  CHECK(bins.back().to == 100);
  Lengths one;
  one.add(7);
  CHECK(one.histogram(10).size() == 1);
  CHECK(one.quantile(0.95) == 7);
  CHECK(Lengths().histogram(10).empty());
}

TEST_CASE("inspect: rows, fields, golds, duplicates and overlap with their lines", "[inspect]") {
  const TempFolder folder;
  const auto path = written(folder, "d.jsonl",
                            R"({"question": "a", "answer": "#### 1"})"
                            "\n"
                            R"({"question": "a b", "answer": "#### x", "source": "s", "id": 7})"
                            "\n\nno json\n"
                            R"({"question": " a\n", "answer": "#### 2", "id": "u"})"
                            "\n"
                            R"({"question": "q", "answer": "no mark"})"
                            "\n");
  const auto eval = written(folder, "e.jsonl", R"({"question": "a b", "answer": "#### 1"})");
  const auto tokenizer =
      make_word_level_tokenizer(std::vector<std::string>{"a", "b", "1", "2", "x"});
  InspectOptions options;
  options.tokenizer = tokenizer.get();
  options.eval = {eval};
  options.gold = [](const std::string& format, const Json& row) -> std::optional<std::string> {
    if (row["answer"] == "x") return "no number, format " + format;
    return std::nullopt;
  };
  const auto report = inspect_file(path, options);
  const auto at = [&](int line) { return path.string() + ":" + std::to_string(line); };
  CHECK(report.format == "gsm8k");
  CHECK(report.guessed);
  CHECK(report.rows == 3);
  CHECK(report.invalid.count == 2);
  REQUIRE(report.invalid.first.size() == 2);
  CHECK_THAT(report.invalid.first[0], contains(at(4) + ": not valid JSON"));
  CHECK_THAT(report.invalid.first[1], contains(at(6) + ": field 'answer' has no ####"));
  CHECK(report.fields.at("id").at("whole number") == 1);
  CHECK(report.fields.at("id").at("text") == 1);
  CHECK_FALSE(report.fields.contains("solution"));
  CHECK(report.sources.at("s") == 1);
  CHECK(report.sources.at("d") == 2);
  CHECK(report.questions.most() == 2);
  CHECK(report.answers.most() == 1);
  CHECK(report.golds.first == std::vector<std::string>{at(2) + ": no number, format gsm8k"});
  CHECK(report.duplicates.count == 1);
  CHECK(report.duplicates.first[0] == std::pair(at(5), at(1)));
  CHECK(report.overlap.count == 1);
  CHECK(report.overlap.first[0] == std::pair(at(2), eval.string() + ":1"));
}

TEST_CASE("inspect: characters are counted where there is no tokenizer", "[inspect]") {
  const TempFolder folder;
  const auto report = inspect_file(written(folder, "d.jsonl",
                                           "{\"question\": \"stra\xC3\x9F"
                                           "e\"}\n"),
                                   {});
  CHECK(report.format == "jsonl");
  CHECK(report.questions.most() == 6);
  CHECK(report.answers.total() == 0);
}

TEST_CASE("inspect: files of no use are refused, hostile ones stay small", "[inspect]") {
  const TempFolder folder;
  CHECK_THAT(error_of([&] { inspect_file(folder / "none", {}); }), contains("cannot be read"));
  CHECK_THAT(error_of([&] { inspect_file(written(folder, "e", "\n"), {}); }),
             contains("no row in it"));
  CHECK_THAT(error_of([&] { inspect_file(written(folder, "b", "[1]\n"), {}); }),
             contains("no row in it; ") && contains("expected a JSON object"));
  InspectOptions options;
  options.eval = {written(folder, "empty", "{}\n")};
  const auto path = written(folder, "d.jsonl", "{\"question\": \"a\"}\n{}\n");
  CHECK_THAT(error_of([&] { inspect_file(path, options); }),
             contains("no question in it to compare with"));
  CHECK(inspect_file(path, {}).without_question == 1);

  std::string many;
  for (int i = 0; i < 500; ++i)
    many += "{\"f" + std::to_string(i) + "\": 1, \"source\": \"s" + std::to_string(i) + "\"}\n";
  const auto report = inspect_file(written(folder, "m.jsonl", many), {});
  CHECK(report.fields.size() <= 201);
  CHECK(report.sources.size() <= 201);
  CHECK(report.sources.at("(others)") == 300);
}
