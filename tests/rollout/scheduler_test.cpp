#include <random>

#include "rollout/scheduler.h"
#include "tests/rollout/rollout_support.h"

#include "tests/support/catch.h"

using namespace aha_test;

namespace {

std::vector<Group> empty_groups(const std::vector<GroupRequest>& asked) {
  std::vector<Group> groups(asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i)
    groups[i].completions.resize(static_cast<std::size_t>(asked[i].samples));
  return groups;
}

}  // namespace

TEST_CASE("scheduler: slots and blocks have one owner at any time, and all completions run once",
          "[rollout]") {
  std::mt19937 random(3);
  for (const std::int64_t max_batch : {1, 2, 4, 7, 100}) {
    const auto asked = requests(50);
    auto groups = empty_groups(asked);
    aha::Scheduler scheduler(asked, max_batch, 40);
    std::size_t started = 0;
    std::size_t ended = 0;
    std::size_t groups_ended = 0;
    std::vector<aha::Sequence*> running;
    while (!scheduler.done()) {
      const auto admitted = scheduler.admit(groups);
      started += admitted.sequences.size();
      REQUIRE(scheduler.consistent());
      REQUIRE(static_cast<std::int64_t>(scheduler.running().size()) <= scheduler.max_batch());
      for (const auto* s : scheduler.running())
        for (const auto block : s->table)
          REQUIRE((block >= 0 && block < scheduler.num_blocks()));
      running = scheduler.running();
      REQUIRE(running.empty() == scheduler.done());
      for (auto* s : running)
        if (random() % 3 == 0) {
          groups_ended += scheduler.finish(s) ? 1 : 0;
          ++ended;
        }
      REQUIRE(scheduler.consistent());
    }
    std::size_t total = 0;
    for (const auto& group : groups)
      total += group.completions.size();
    CHECK(started == total);
    CHECK(ended == total);
    CHECK(groups_ended == asked.size());
  }
}

TEST_CASE("scheduler: a full batch is kept full while completions wait", "[rollout]") {
  const auto asked = requests(50);
  auto groups = empty_groups(asked);
  aha::Scheduler scheduler(asked, 4, 40);
  scheduler.admit(groups);
  CHECK(scheduler.running().size() == 4);
  scheduler.finish(scheduler.running().back());
  scheduler.admit(groups);
  CHECK(scheduler.running().size() == 4);
}
