#include "trainer/run/reward_warnings.h"

#include "rewards/registry.h"
#include "tests/trainer/run/toy_job.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

/// The warnings of a toy job with these settings.
std::vector<std::string> warned(const std::vector<std::string>& settings) {
  const ToyJob job(settings);
  return reward_warning_lines(job.stage->settings, job.stage->data, *job.stage->scorer);
}

struct Rows : RowsOfAFile {
  Rows(const std::string& rows, const std::string& functions)
      : RowsOfAFile(rows, "{question}", functions) {}
};

}  // namespace

TEST_CASE("check: sources of a reward that no row has are named, with those that rows have") {
  const std::string rows = R"({"question": "1", "answer": "2", "source": "sums"})"
                           "\n"
                           R"({"question": "2", "answer": "2"})"
                           "\n";
  const std::string math = "{name: math}, ";
  CHECK(warned(Rows(rows, math + "{name: length, sources: [none, sums]}").settings).empty());
  CHECK(warned(Rows(rows, math + "{name: length, sources: [countdown_wait]}").settings).empty());
  CHECK(warned(Rows(rows, math + "{name: length, sources: [sum, words]}").settings) ==
        std::vector<std::string>{
            "warning    reward.functions.1.sources: no row is of sum and words, so that length "
            "judges nothing; rows are of countdown_wait, rows and sums"});
}

TEST_CASE("check: a verifier of negative weight is named where no other is paid for") {
  const auto with = [](const std::string& functions) {
    return warned({"reward.functions=[" + functions + "]"});
  };
  CHECK(with("{name: countdown_wait}, {name: parity, weight: -1}").empty());
  CHECK(with("{name: countdown_wait}, {name: length, weight: -1}").empty());
  CHECK(with("{name: countdown_wait, weight: -0.5}, {name: length}") ==
        std::vector<std::string>{
            "warning    reward.functions.0.weight: -0.5 takes from right answers what "
            "countdown_wait gives, and no other verifier is paid for; a number above 0 would be "
            "right"});
}

TEST_CASE("check: what is said of rewards that run programs: rows and time") {
  try {
    make_reward("code", {});
  } catch (const UserError& error) {
    WARN("skipped: " << error.what());
    return;
  }
  const std::string good = R"x({"question": "1", "tests": ["assert f(3) == 7"]})x";
  const std::string bad = R"x({"question": "2", "tests": ["print(f(3) == 7)"]})x";
  const Rows rows(good + "\n" + bad + "\n" + bad + "\n", "{name: code, time_limit_s: 2}");
  auto settings = rows.settings;
  settings.emplace_back("reward.timeout_s=17");
  const auto file = (rows.folder / "rows.jsonl").string();
  CHECK(warned(settings) ==
        std::vector<std::string>{
            "warning    " + file + ":2, " + file +
                ":3 (2 of 15 rows): code: no answer fails its tests: test 1 asserts nothing; "
                "such as assert f(3) == 7 would be right",
            "warning    reward.timeout_s: 17 is less than the 18 s by the clock that one test of "
            "code may take (time_limit_s 2): what is scored behind such a test cannot be judged; "
            "at least 18 would be right"});
  settings.back() = "reward.timeout_s=18";
  CHECK(warned(settings).size() == 1);
  const Rows within(good + "\n", "{name: cosine_length, verifier: 'code:time_limit_s=2'}");
  settings = within.settings;
  settings.emplace_back("reward.timeout_s=17");
  CHECK(warned(settings).size() == 1);
}
