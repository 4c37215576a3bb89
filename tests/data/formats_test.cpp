#include "data/formats.h"

#include "data/dataset.h"
#include "tests/data/data_support.h"
#include "tests/support/catch.h"
#include "trainer/config/flat_keys.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

/// The row in its new form, or {"problem": ...}.
Json imported(const std::string& format, Json row) {
  if (const auto problem = import_row(row_format(format), row)) return {{"problem", *problem}};
  return row;
}

std::string problem_of(const std::string& format, const Json& row) {
  return imported(format, row).value("problem", "none");
}

}  // namespace

TEST_CASE("formats: published rows become question and gold, other fields stay", "[formats]") {
  const auto gsm8k =
      imported("gsm8k", {{"question", "How many?"}, {"answer", "2*500 = 1,000\n#### 1,000 "}});
  CHECK(gsm8k["answer"] == "1,000");
  CHECK(gsm8k["solution"] == "2*500 = 1,000\n#### 1,000 ");

  const auto svamp = imported("svamp", {{"Body", "There are 2 oranges"},
                                        {"Question", "How many? "},
                                        {"Answer", 145.0},
                                        {"Type", "Sum"}});
  CHECK(svamp["question"] == "There are 2 oranges. How many?");
  CHECK(svamp["answer"] == "145");
  CHECK(svamp["subject"] == "Sum");
  CHECK(svamp["Body"] == "There are 2 oranges");
  CHECK(imported("svamp", {{"Body", "Two."}, {"Question", "Q?"}, {"Answer", "2.5"}})["question"] ==
        "Two. Q?");

  const auto math = imported("math", {{"problem", "Solve."},
                                      {"solution", "so $\\boxed{\\frac{1}{2}}$."},
                                      {"level", "Level 3"},
                                      {"type", "Algebra"}});
  CHECK(math["question"] == "Solve.");
  CHECK(math["answer"] == "\\frac{1}{2}");
  CHECK(math["level"] == 3);
  CHECK(math["subject"] == "Algebra");
  CHECK(imported("math",
                 {{"problem", "p"}, {"answer", "7"}, {"solution", "\\boxed{8}"}})["answer"] == "7");

  CHECK(imported("aime", {{"problem", "p"}, {"answer", "073"}})["answer"] == "73");
  CHECK(imported("aime", {{"Problem", "p"}, {"Answer", 204}})["answer"] == "204");
  CHECK(imported("aime", {{"problem", "p"}, {"answer", "336^\\circ"}})["answer"] == "336");
  CHECK(imported("amc", {{"question", "p"}, {"answer", 142.0}})["answer"] == "142");

  const auto countdown =
      imported("countdown", {{"nums", {35, 90, 58}}, {"target", 67}, {"solution", "90 - 58 + 35"}});
  CHECK_THAT(countdown["question"].get<std::string>(),
             contains("numbers [35, 90, 58]") && contains("equals 67") && contains("(+, -, *, /)"));
  CHECK(countdown["answer"] == "90 - 58 + 35");
  CHECK_FALSE(imported("countdown", {{"nums", {1}}, {"target", 1}}).contains("answer"));

  const Json row{{"anything", 1}};
  CHECK(imported("jsonl", row) == row);
}

TEST_CASE("formats: what a row lacks is said with what the format reads", "[formats]") {
  CHECK(problem_of("svamp", {{"Body", "b"}, {"Answer", 1}}) ==
        "field 'Question' is missing; the row has Answer and Body; format svamp reads Body, "
        "Question, "
        "Answer");
  CHECK_THAT(problem_of("gsm8k", {{"question", "q"}, {"answer", "72"}}),
             contains("has no #### before its gold; format gsm8k reads"));
  CHECK_THAT(problem_of("gsm8k", {{"question", ""}, {"answer", "#### 7"}}),
             contains("field 'question' is empty"));
  CHECK_THAT(problem_of("gsm8k", {{"question", 7}, {"answer", "#### 7"}}),
             contains("field 'question' is no text but number"));
  CHECK_THAT(problem_of("math", {{"problem", "p"}, {"answer", ""}}),
             contains("field 'answer' is empty"));
  CHECK_THAT(problem_of("math", {{"problem", "p"}, {"solution", "so 7"}}),
             contains("'solution' has no \\boxed{...}"));
  CHECK_THAT(problem_of("aime", {{"problem", "p"}, {"answer", "1000"}}),
             contains("the answer is '1000', and those of AIME are 0 to 999"));
  CHECK_THAT(problem_of("aime", {{"problem", "p"}, {"answer", "\\frac12"}}), contains("0 to 999"));
  CHECK_THAT(problem_of("amc", {{"question", "p"}}), contains("field 'answer' is missing"));
  CHECK_THAT(problem_of("countdown", {{"nums", {1, 2.5}}, {"target", 1}}),
             contains("'nums' is no list of whole numbers"));
  CHECK_THAT(problem_of("countdown", {{"nums", {1}}, {"target", "1"}}),
             contains("'target' is no whole number"));
  CHECK_THAT(error_of([] { row_format("gsm8"); }), contains("the nearest is 'gsm8k'"));
}

TEST_CASE("formats: the last box is found with its braces", "[formats]") {
  CHECK(last_boxed("\\boxed{1} then \\boxed{\\sqrt{2}}.") == "\\sqrt{2}");
  CHECK(last_boxed("\\boxed{\\{1, 2\\}}") == "\\{1, 2\\}");
  CHECK(last_boxed("\\fbox{x}") == "x");
  CHECK(last_boxed("is \\boxed 5$ here") == "5");
  CHECK(last_boxed("\\boxed{1") == std::nullopt);
  CHECK(last_boxed("none") == std::nullopt);
  CHECK(last_boxed("\\boxed") == std::nullopt);
}

TEST_CASE("formats: a row tells which format it has", "[formats]") {
  const auto guess = [](const Json& row) { return std::string(guessed_format(row).name); };
  CHECK(guess({{"question", "q"}, {"answer", "#### 1"}}) == "gsm8k");
  CHECK(guess({{"question", "q"}, {"answer", "1"}}) == "jsonl");
  CHECK(guess({{"problem", "q"}, {"answer", "1"}}) == "math");
  CHECK(guess({{"nums", {1}}, {"target", 1}}) == "countdown");
  CHECK(guess({{"Body", "b"}, {"Question", "q"}, {"Answer", 1}}) == "svamp");
}

TEST_CASE("formats: the configuration offers those of the table", "[formats]") {
  for (const auto& flat : all_keys())
    if (flat.path == "data.train.format") CHECK(flat.key.allowed == format_names());
}

TEST_CASE("formats: a dataset keeps rows in their new form and names bad ones by line",
          "[formats]") {
  const TempFolder folder;
  const auto path = written(folder, "d.jsonl",
                            "{\"problem\": \"a\", \"answer\": \"1\"}\n{\"problem\": \"b\", "
                            "\"answer\": \"\"}\n{\"problem\": \"c\", \"answer\": 2.0}\n");
  DataSource source;
  source.path = path.string();
  source.format = "math";
  OpenOptions options;
  options.required_fields = {"question", "answer"};
  CHECK(error_of([&] { open_dataset(source, options); }) ==
        path.string() +
            ":2: field 'answer' is empty; format math reads problem, answer or a solution with its "
            "gold in \\boxed{}\n" +
            path.string() + ": 1 bad, 2 good; data.max_invalid: 1 would skip the bad ones");
  options.max_invalid = 1;
  const auto dataset = open_dataset(source, options);
  REQUIRE(dataset->size() == 2);
  CHECK(dataset->row(1)["question"] == "c");
  CHECK(dataset->row(1)["answer"] == "2");
  CHECK(dataset->where(1) == path.string() + ":3");
  source.format = "jsonl";
  options.max_invalid = 0;
  CHECK_THAT(error_of([&] { open_dataset(source, options); }),
             contains("d.jsonl:1: field 'question' is missing; the row has answer and problem; "
                      "format: math reads such rows"));
}
