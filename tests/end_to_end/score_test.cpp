#include <array>
#include <iterator>
#include <sstream>

#include "tests/end_to_end/small_job.h"
#include "tests/support/catch.h"
#include "trainer/core/json_text.h"

using namespace aha_test;

TEST_CASE("score: judges rows offline and passes their fields on") {
  const auto end = run_aha({"score", "--reward", "countdown"},
                           R"({"id": "a", "nums": [3, 5, 7], "target": 38, "answer": "3 + 5 * 7"})"
                           "\n"
                           R"({"id": "b", "nums": [3, 5, 7], "target": 38, "answer": "3 + 5"})"
                           "\n");
  INFO(end.err);
  REQUIRE(end.code == 0);
  const auto rows = rows_of(end.out);
  CHECK(rows.at(0).at("score") == 1.0);
  CHECK(rows.at(0).at("outcome") == "equal");
  CHECK(rows.at(1).at("outcome") == "different");
  CHECK(rows.at(1).at("id") == "b");
  CHECK(run_aha({"score", "--reward", "countdwn"}).code == 2);
}

TEST_CASE("score: the README's commands, as written there, give the rows shown there") {
  const std::array<std::string_view, 6> verdict = {"score",  "outcome", "extracted",
                                                   "reason", "steps",   "explanation"};
  std::istringstream readme(slurp("rewards/README.md"));
  int commands = 0;
  std::vector<std::string> words;
  std::string shown, rows;
  for (std::string line; std::getline(readme, line);) {
    const bool command = line.starts_with("$ aha score ");
    if (!words.empty() && (command || line == "```")) {
      TempFolder folder;
      words.back() = (folder / words.back()).string();
      spill(words.back(), rows);
      const auto end = run_aha(words);
      INFO(end.err);
      CHECK(end.code == 0);
      CHECK(end.out == shown);
      words.clear();
      ++commands;
    } else if (!words.empty()) {
      shown += line + "\n";
      rows += "{" + aha::members_as_written(line, verdict) + "}\n";
    }
    if (!command) continue;
    std::istringstream all(line.substr(6));
    words.assign(std::istream_iterator<std::string>(all), {});
    shown.clear();
    rows.clear();
  }
  CHECK(commands == 4);
}

TEST_CASE("score: an option of several values takes one each time, and leaves the file alone") {
  TempFolder folder;
  spill(folder / "rows.jsonl", "{\"solution\": 1, \"text\": \"1\"}\n");
  const auto file = (folder / "rows.jsonl").string();
  const auto end = run_aha({"score", "--reward", "numeric", "--field", "gold=solution", "--field",
                            "prediction=text", file});
  INFO(end.err);
  CHECK(end.code == 0);
  CHECK(rows_of(end.out).at(0).at("score") == 1);
}

TEST_CASE("score: bad lines are all named, good ones scored, and the code is 2") {
  const auto end = run_aha({"score", "--reward", "numeric"},
                           "{\"gold\": 1, \"prediction\": 1}\nno json\n"
                           "{\"gold\": 2, \"prediction\": 2}\n{\"gold\": 3}\n");
  CHECK(end.code == 2);
  CHECK(rows_of(end.out).size() == 2);
  CHECK_THAT(end.err, contains("standard input:2: not valid JSON"));
  CHECK_THAT(end.err, contains("standard input:4: neither 'completion'"));
  CHECK_THAT(end.err, contains("2 rows were not scored, 2 were"));
}
