#include "data/tasks/task.h"
#include "tests/support/catch.h"

using namespace aha;  // NOLINT

namespace {

BehaviourCounts nonzero(BehaviourCounts counts) {
  std::erase_if(counts, [](const auto& entry) { return entry.second == 0; });
  return counts;
}

}  // namespace

TEST_CASE("countdown_wait behaviour: hand-written traces are counted as they read", "[behaviour]") {
  struct Row {
    const char* what;
    const char* completion;
    BehaviourCounts counts;
  };
  const auto row = GENERATE(values<Row>({
      {"the specified sample",
       "9 + 4 13 - 3 10 no wait 9 - 4 5 + 3 8 ok => 9 - 4 + 3",
       {{"waits", 1},
        {"attempts", 2},
        {"hits", 1},
        {"misses", 1},
        {"waits_after_miss", 1},
        {"verdicts", 2},
        {"verdicts_right", 2},
        {"answered", 1}}},
      {"no verdicts",
       "9 + 4 13 - 3 10 wait 9 - 4 5 + 3 8 => 9 - 4 + 3",
       {{"waits", 1},
        {"attempts", 2},
        {"hits", 1},
        {"misses", 1},
        {"waits_after_miss", 1},
        {"answered", 1}}},
      {"gives up",
       "9 + 4 13 - 3 10 no => 9 + 4 - 3",
       {{"attempts", 1},
        {"misses", 1},
        {"verdicts", 1},
        {"verdicts_right", 1},
        {"answered", 1},
        {"gave_up", 1}}},
      {"waits after a hit with a wrong verdict",
       "9 - 4 5 + 3 8 no wait 9 + 4 13 - 3 10 ok",
       {{"waits", 1},
        {"attempts", 2},
        {"hits", 1},
        {"misses", 1},
        {"waits_after_hit", 1},
        {"verdicts", 2}}},
      {"false arithmetic that claims a hit",
       "9 + 4 5 + 3 8 ok => 9 + 4 + 3",
       {{"attempts", 1},
        {"hits", 1},
        {"verdicts", 1},
        {"verdicts_right", 1},
        {"slips", 1},
        {"answered", 1}}},
      {"false second step",
       "9 - 4 5 + 3 9 no",
       {{"attempts", 1}, {"misses", 1}, {"verdicts", 1}, {"verdicts_right", 1}, {"slips", 1}}},
      {"a number that was not given",
       "9 - 4 5 + 2 7 no",
       {{"attempts", 1}, {"misses", 1}, {"verdicts", 1}, {"verdicts_right", 1}, {"illegal", 1}}},
      {"a given number used twice",
       "9 - 4 5 + 4 9 no",
       {{"attempts", 1}, {"misses", 1}, {"verdicts", 1}, {"verdicts_right", 1}, {"illegal", 1}}},
      {"cut in the middle of an attempt",
       "9 + 4 13 - 3 10 no wait 9 - 4",
       {{"waits", 1},
        {"attempts", 1},
        {"malformed", 1},
        {"misses", 1},
        {"waits_after_miss", 1},
        {"verdicts", 1},
        {"verdicts_right", 1}}},
      {"waits in a row",
       "9 + 4 13 - 3 10 no wait wait",
       {{"waits", 2},
        {"attempts", 1},
        {"malformed", 1},
        {"misses", 1},
        {"waits_after_miss", 1},
        {"verdicts", 1},
        {"verdicts_right", 1}}},
      {"waits after the answer are counted as words only",
       "9 - 4 5 + 3 8 ok => 9 wait",
       {{"waits", 1},
        {"attempts", 1},
        {"hits", 1},
        {"verdicts", 1},
        {"verdicts_right", 1},
        {"answered", 1}}},
      {"an answer alone", "=> 9 - 4 + 3", {{"malformed", 1}, {"answered", 1}}},
      {"nothing", "", {}},
      {"not of the grammar", "ok ok | 99999999999999999999 + <eos>", {{"malformed", 1}}},
  }));
  INFO(row.what);
  const Json problem{{"nums", {4, 3, 9}}, {"target", 8}};
  const auto task = make_task("countdown_wait", {});
  CHECK(nonzero(task->behaviour(problem, row.completion)) == row.counts);
}

TEST_CASE("countdown_wait behaviour: rates are over their own cases", "[behaviour]") {
  const auto task = make_task("countdown_wait", {});
  const BehaviourCounts sums{{"waits", 12},    {"attempts", 20},       {"hits", 8},
                             {"misses", 12},   {"waits_after_hit", 2}, {"waits_after_miss", 9},
                             {"verdicts", 16}, {"verdicts_right", 12}, {"slips", 5},
                             {"illegal", 1},   {"answered", 9},        {"gave_up", 3}};
  const auto rates = task->behaviour_rates(sums, 10);
  CHECK(rates.at("waits") == 1.2);
  CHECK(rates.at("attempts") == 2.0);
  CHECK(rates.at("gave_up") == 0.3);
  CHECK(rates.at("verdict_accuracy") == 0.75);
  CHECK(rates.at("p_wait_given_miss") == 0.75);
  CHECK(rates.at("p_wait_given_hit") == 0.25);
  CHECK(rates.at("verification_gap") == 0.5);
  CHECK(rates.at("slips") == 0.25);
  CHECK(rates.at("illegal") == 0.05);
  const auto empty = task->behaviour_rates({}, 10);
  CHECK(empty.at("waits") == 0.0);
  for (const char* name : {"verdict_accuracy", "p_wait_given_miss", "verification_gap", "slips"})
    CHECK_FALSE(empty.contains(name));
  CHECK(task->behaviour_rates({}, 0).empty());
}

TEST_CASE("countdown_wait behaviour: written traces verify perfectly", "[behaviour]") {
  TaskOptions options;
  options.wait_probability = 0.4;
  const auto task = make_task("countdown_wait", options);
  BehaviourCounts sums;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    const auto row = task->row(Split::Train, 1, i);
    for (const auto& [name, count] : task->behaviour(row, row["completion"].get<std::string>()))
      sums[name] += count;
  }
  const auto rates = task->behaviour_rates(sums, 5000);
  CHECK(rates.at("verdict_accuracy") == 1.0);
  CHECK(rates.at("p_wait_given_hit") == 0.0);
  CHECK(rates.at("p_wait_given_miss") == Approx(0.4).margin(0.03));
  CHECK(rates.at("slips") == 0.0);
  CHECK(rates.at("illegal") == 0.0);
  CHECK(sums["malformed"] == 0);
  CHECK(sums["answered"] == 5000);
}

TEST_CASE("parity behaviour: long traces and slips are counted", "[behaviour]") {
  struct Row {
    const char* what;
    const char* completion;
    BehaviourCounts counts;
  };
  const auto row = GENERATE(values<Row>({
      {"long", "1 1 0 = 0", {{"answered", 1}, {"long", 1}, {"running", 3}}},
      {"short", "= 0", {{"answered", 1}}},
      {"one wrong step", "1 0 1 = 1", {{"answered", 1}, {"long", 1}, {"running", 3}, {"slips", 1}}},
      {"one parity too many", "1 1 0 0 = 0", {{"answered", 1}, {"running", 3}}},
      {"one parity too few", "1 1 = 1", {{"answered", 1}, {"running", 2}}},
      {"cut", "1 1 0 =", {{"running", 3}}},
      {"nothing", "", {}},
  }));
  INFO(row.what);
  const auto task = make_task("parity", {});
  CHECK(nonzero(task->behaviour(Json{{"bits", {1, 0, 1}}}, row.completion)) == row.counts);
}

TEST_CASE("parity behaviour: rates", "[behaviour]") {
  const auto task = make_task("parity", {});
  const auto rates =
      task->behaviour_rates({{"answered", 9}, {"long", 4}, {"running", 50}, {"slips", 5}}, 10);
  CHECK(rates.at("answered") == 0.9);
  CHECK(rates.at("long_traces") == 0.4);
  CHECK(rates.at("slips") == 0.1);
  CHECK_FALSE(task->behaviour_rates({}, 3).contains("slips"));
}

TEST_CASE("countdown behaviour: equations and their slips", "[behaviour]") {
  TaskOptions options;
  options.max_number = 99;
  const auto task = make_task("countdown", options);
  const auto counts = [&](const char* text) {
    return nonzero(task->behaviour(Json::object(), text));
  };
  CHECK(counts("2 + 3 = 5, then 5*4=21. <answer> (2 + 3) * 4 </answer>") ==
        BehaviourCounts{{"answered", 1}, {"equations", 2}, {"slips", 1}});
  CHECK(counts("8 - 2 - 3 = 3 <answer> 1").empty());
  CHECK(counts("7 / 0 = 1") == BehaviourCounts{{"equations", 1}, {"slips", 1}});
  CHECK(counts("1 + 1 = ").empty());
}

TEST_CASE("behaviour: a row of another task counts nothing", "[behaviour]") {
  CHECK(make_task("countdown_wait", {})->behaviour(Json{{"bits", {1}}}, "1").empty());
  CHECK(make_task("parity", {})->behaviour(Json{{"nums", {1}}}, "1").empty());
}
