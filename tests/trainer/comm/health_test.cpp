#include "trainer/comm/health.h"

#include <atomic>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "trainer/comm/heartbeat.h"

namespace aha {
namespace {

Activity at_work(const std::string& phase, std::int64_t step, double seconds) {
  Activity a;
  a.host = "n7";
  a.phase = phase;
  a.step = step;
  a.seconds = seconds;
  return a;
}

Activity waiting(const std::string& operation) {
  Activity a = at_work("train", 12, 3);
  a.operation = operation;
  return a;
}

}  // namespace

TEST_CASE("waiting_report: says who works where, and who waits for it") {
  const std::vector<Seen> ranks{{waiting("reduce_gradients"), 0.5},
                                {waiting("reduce_gradients"), 0.5},
                                {waiting("reduce_gradients"), 0.5},
                                {at_work("rollout", 12, 34), 0.5}};
  CHECK(waiting_report(ranks) ==
        "rank 3 (n7) is in rollout of step 12 since 34 s; ranks 0, 1, 2 wait in reduce_gradients");
}

TEST_CASE("waiting_report: tells a silent rank from a slow one, and one that left") {
  Activity gone = at_work("train", 3, 1);
  gone.left = "the disk is full";
  const std::vector<Seen> ranks{
      {waiting("gather_groups"), 0.5}, {at_work("rollout", 4, 9), 40}, {gone, 5}};
  CHECK(waiting_report(ranks) ==
        "rank 1 (n7) gives no sign of life since 40 s; last seen, it is in rollout of step 4 since "
        "9 s; "
        "rank 2 (n7) ended: the disk is full; rank 0 waits in gather_groups");
}

TEST_CASE("waiting_report: names ranks that never came") {
  Seen absent;
  absent.came = false;
  CHECK(waiting_report(std::vector<Seen>{{waiting("join"), 0.5}, absent}) ==
        "rank 1 has not come; rank 0 waits in join");
  CHECK(waiting_report(std::vector<Seen>{absent, absent, {waiting("join"), 0.5}}) ==
        "ranks 0, 1 have not come; rank 2 waits in join");
}

TEST_CASE("heartbeat: a rank that falls silent is reported once its time is over") {
  std::mutex mutex;
  std::vector<std::string> texts{"", "1 " + at_work("rollout", 2, 0).text()};
  std::string report;
  std::atomic<bool> reported = false;
  {
    const Heartbeat heartbeat({[&](const std::string& text) {
                                 const std::lock_guard lock(mutex);
                                 texts[0] = text;
                               },
                               [&] {
                                 const std::lock_guard lock(mutex);
                                 return texts;
                               }},
                              "n1", 3.2, [&](const std::string& text) {
                                report = text;
                                reported = true;
                              });
    for (int i = 0; i < 100 && !reported; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  REQUIRE(reported);
  CHECK(report.find("rank 1 (n7) gives no sign of life") == 0);
}

TEST_CASE("heartbeat: a rank that has not come yet is not dead") {
  std::mutex mutex;
  std::vector<std::string> texts{"", ""};
  int looks = 0;
  std::atomic<int> deaths = 0;
  const Heartbeat heartbeat({[&](const std::string& text) {
                               const std::lock_guard lock(mutex);
                               texts[0] = text;
                             },
                             [&] {
                               const std::lock_guard lock(mutex);
                               ++looks;
                               return texts;
                             }},
                            "n1", 3, [&](const std::string&) { ++deaths; });
  REQUIRE(aha_test::eventually([&] {
    const std::lock_guard lock(mutex);
    return looks >= 8;  // two a second
  }));
  CHECK(deaths == 0);
  const auto seen = heartbeat.ranks();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].came);
  CHECK_FALSE(seen[1].came);
}

TEST_CASE("heartbeat: a board that does not answer is reported, though no answer ever comes") {
  std::promise<void> end;
  auto ended = end.get_future().share();
  std::promise<std::string> report;
  std::unique_ptr<Heartbeat> heartbeat;
  heartbeat = std::make_unique<Heartbeat>(Board{[](const std::string&) {},
                                                [ended]() -> std::vector<std::string> {
                                                  ended.wait();
                                                  return {};
                                                }},
                                          "n1", 1.0,
                                          [&](const std::string& text) { report.set_value(text); });
  CHECK(report.get_future().get().find(
            "rank 0, where all ranks meet, cannot be reached: no answer for ") == 0);
  end.set_value();
}

TEST_CASE("heartbeat: what a rank left for is said, though it is cut off before it has ended") {
  std::promise<void> end;
  auto ended = end.get_future().share();
  std::promise<std::string> report;
  const auto silent = [ended] { ended.wait(); };
  Heartbeat heartbeat(Board{[silent, first = true](const std::string&) mutable {
                              if (!std::exchange(first, false)) silent();
                            },
                            [silent]() -> std::vector<std::string> {
                              silent();
                              return {};
                            }},
                      "n1", 1.0, [&](const std::string& text) { report.set_value(text); });
  std::thread leaving([&] { heartbeat.leave("the disk is full"); });
  CHECK(report.get_future().get().find(
            "the disk is full; rank 0, where all ranks meet, cannot be reached: no answer for ") ==
        0);
  end.set_value();
  leaving.join();
}

}  // namespace aha
