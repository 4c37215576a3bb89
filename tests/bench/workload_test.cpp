#include "scripts/bench/gpu/workload.h"

#include "scripts/bench/gpu/timed_ops.h"
#include "tests/support/catch.h"

using namespace aha_bench;

namespace {

Workload tiny(const aha::Ops& ops) {
  return {shape_named("tiny"), ops, {}, aha::FloatType::F32};
}

}  // namespace

TEST_CASE("bench: completions have the lengths of the load, and an update takes every token") {
  Workload work = tiny(aha::cpu_ops());
  const Load load{{5, 20}, {3, 3, 9, 9}};
  const auto groups = work.generate(work.requests(load));
  REQUIRE(groups.size() == 2);
  for (std::size_t g = 0; g < 2; ++g) {
    REQUIRE(groups[g].completions.size() == 2);
    CHECK(groups[g].prompt.ids.size() == static_cast<std::size_t>(load.prompts[g]));
    for (const auto& c : groups[g].completions)
      CHECK(c.length() == load.outputs[2 * g]);
  }
  CHECK(work.rollout().completion_tokens == load.output_tokens());
  const auto update = work.train(groups, 64);
  CHECK(update.tokens == load.output_tokens());
  CHECK(update.rows == load.prompt_tokens() + load.output_tokens() - 4);  // a last token is not fed
  CHECK(update.seconds() > 0);
}

TEST_CASE(
    "bench: a timed table counts the calls of each operation, and what they take is its time") {
  std::int64_t now = 0;
  TimedOps timed(aha::cpu_ops(),
                 {[&now] { return now += 5; },
                  [](auto begin, auto end) { return static_cast<double>(end - begin); }});
  Workload work = tiny(timed.table());
  timed.clear();
  work.decode(3, 40);
  std::int64_t products = 0;
  double seconds = 0;
  for (const auto& t : timed.times()) {
    CHECK(t.seconds == 5.0 * static_cast<double>(t.calls));
    seconds += t.seconds;
    if (t.name == "attention") CHECK(t.calls == 2);  // layers
    if (t.name == "head_sample") CHECK(t.calls == 1);
    if (t.name.find("linear") != std::string_view::npos) products += t.calls;
  }
  CHECK(products == 8);  // four a layer
  CHECK(seconds > 0);
  timed.clear();
  CHECK(timed.times().empty());
}
