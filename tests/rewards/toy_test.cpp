#include "data/tasks/task.h"
#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

TEST_CASE("tasks: the ideal completion of every task is right by the reward it names", "[toy]") {
  for (const auto& info : task_table()) {
    TaskOptions options;
    if (std::string(info.name) == "countdown") {
      options.max_number = 99;
      options.operators = "+-*/";
    }
    const auto task = info.make(options);
    const auto reward = make_reward(task->reward());
    CHECK(reward->is_verifier());
    for (std::uint64_t i = 0; i < 300; ++i) {
      const auto row = task->row(i % 2 == 0 ? Split::Train : Split::HeldOut, 1, i);
      INFO(info.name << ": " << row.dump());
      REQUIRE_FALSE(reward->gold_problem(row));
      REQUIRE(Judged{task->ideal(row), row}.by(*reward).score == 1.0);
    }
  }
}

TEST_CASE("countdown_wait: a written trace is right exactly when its answer is the target",
          "[toy]") {
  const auto task = make_task("countdown_wait", {});
  const auto reward = make_reward("countdown_wait");
  int right = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const auto row = task->row(Split::Train, 2, i);
    const auto text = row["completion"].get<std::string>();
    const auto score = *Judged{text, row}.by(*reward).score;
    REQUIRE(score == (text.find(" ok =>") != std::string::npos ? 1.0 : 0.0));
    right += static_cast<int>(score);
  }
  CHECK(right > 400);
}

TEST_CASE("countdown_wait: the answer is the last six words, read from the left", "[toy]") {
  const Json row = {{"nums", {4, 3, 9}}, {"target", 8}};
  const auto by = [&](const std::string& text, bool truncated = false, bool bare = false) {
    return *Judged{text, row, truncated, bare}.by("countdown_wait").score;
  };
  CHECK(by("9 + 4 13 - 3 10 no wait 9 - 4 5 + 3 8 ok => 9 - 4 + 3") == 1.0);
  CHECK(by("=> 9 - 4 + 3") == 1.0);
  CHECK(by("=> 3 + 9 - 4 \n") == 1.0);
  CHECK(by("=> 9 - 4 + 3", true) == 0.0);
  CHECK(by("9 - 4 + 3") == 0.0);
  CHECK(by("9 - 4 + 3", false, true) == 1.0);
  CHECK(by("=> 9 - 4 + 3 ok") == 0.0);
  CHECK(by("=> 9 - 4 + 4") == 0.0);
  CHECK(by("=> 9 + 4 - 3") == 0.0);
  CHECK(by("=> 9 - 4 / 3") == 0.0);
  CHECK(by("=> 09 - 4 + 3") == 0.0);
  CHECK(by("") == 0.0);

  const Json product = {{"nums", {1, 2, 3}}, {"target", 9}};
  CHECK(Judged{"=> 1 + 2 * 3", product}.by("countdown_wait").score == 1.0);
  CHECK(Judged{"=> 1 + 2 * 3", product}.by("countdown_wait", {{"operators", "+-"}}).score == 0.0);
  CHECK_THAT(error_of([] {
               make_reward("countdown_wait", {{"operators", "+/"}});
             }),
             contains("expected some of +-*"));
  for (const auto& bad : {Json{{"nums", {1, 2}}, {"target", 3}},
                          Json{{"nums", {1, 2, 100}}, {"target", 3}}, Json{{"nums", {1, 2, 3}}}})
    CHECK_FALSE(Judged{"=> 1 + 2 + 3", bad}.by("countdown_wait").score);
}

TEST_CASE("parity: the last words are = and the bit", "[toy]") {
  const auto by = [](const std::string& text, const Json& answer, bool truncated = false) {
    return Judged{text, {{"answer", answer}}, truncated}.by("parity").score;
  };
  CHECK(by("0 1 1 = 1", "1") == 1.0);
  CHECK(by("= 1", 1) == 1.0);
  CHECK(by("= 0", "1") == 0.0);
  CHECK(by("1", "1") == 0.0);
  CHECK(by("= 1 1", "1") == 0.0);
  CHECK(by("= 1", "1", true) == 0.0);
  CHECK(by("", "1") == 0.0);
  CHECK_FALSE(by("= 1", "2"));
  CHECK_FALSE(by("= 1", nullptr));
  CHECK(Judged{"1", {{"answer", "1"}}, false, true}.by("parity").score == 1.0);
}
