#include <cmath>
#include <map>

#include "tests/support/catch.h"
#include "tests/support/process.h"
#include "trainer/comm/clock_offset.h"
#include "trainer/comm/spans.h"
#include "trainer/comm/trace_file.h"
#include "trainer/core/json.h"

using namespace aha_test;

namespace aha {
namespace {

/// The spans of a trace file, names of processes and threads left out.
std::vector<Json> events_of(const std::filesystem::path& path) {
  std::vector<Json> events;
  for (const auto& event : read_json(path))
    if (event.at("ph") == "X") events.push_back(event);
  return events;
}

RecordedSpans recorded(std::vector<TraceSpan> spans) {
  return {std::move(spans), 0};
}

}  // namespace

TEST_CASE("spans: what is recorded is read back, and no more than there is room for") {
  SpanRecorder recorder;
  recorder.add("rollout", "", {0, 0, 7, 100, 250, -1});
  recorder.add("gather_groups", "rollout", {0, 0, 7, 120, 180, 3});
  const auto first = read_spans(recorder.take());
  REQUIRE(first.spans.size() == 2);
  CHECK(first.spans[1].name == "gather_groups");
  CHECK(first.spans[1].phase == "rollout");
  CHECK(first.spans[1].step == 7);
  CHECK(first.spans[1].begin_ns == 120);
  CHECK(first.spans[1].end_ns == 180);
  CHECK(first.spans[1].call == 3);
  CHECK(read_spans(recorder.take()).spans.empty());
  for (std::size_t i = 0; i < SpanRecorder::kMost + 5; ++i)
    recorder.add("step", "", {0, 0, 8, 0, 1, -1});
  const auto many = read_spans(recorder.take());
  CHECK(many.spans.size() == SpanRecorder::kMost);
  CHECK(many.dropped == 5);
}

TEST_CASE("clocks: an offset is found within the error that is said") {
  for (const std::int64_t ahead : {5'000'000'000LL, -7'000'000LL, 0LL}) {
    int asked = 0;
    const Letters letters{
        [&](const std::string&, const std::string&) { ++asked; },
        [&](const std::string&) { return std::to_string(nanoseconds(Clock::now()) + ahead); }};
    const auto offset = ask_for_clock(letters, 1);
    CHECK(asked > 1);
    CHECK(std::abs(offset.add_ns - ahead) <= offset.error_ns);
    CHECK((on_one_machine(offset).add_ns == 0) == (ahead == 0));
  }
}

TEST_CASE("trace: ranks are processes, times are rank 0's, and who waits is said") {
  const TempFolder folder;
  const auto path = folder / "trace_1.json";
  const std::vector<TracedRank> ranks = {{"n1", {}}, {"n2 \"x\"", {1'000'000, 2'500}}};
  TraceFile file(path, ranks);
  CHECK(events_of(path).empty());
  const auto at = nanoseconds(Clock::now());
  file.write(std::vector<RecordedSpans>{
      recorded({{"gather_groups", "rollout", 4, at + 2'000, at + 9'500, 1},
                {"rollout", "", 4, at, at + 10'001, -1}}),
      recorded({{"gather_groups", "rollout", 4, at - 993'000, at - 991'000, 1},
                {"rollout", "", 4, at - 1'000'000, at - 990'000, -1}})});
  const auto events = events_of(path);
  REQUIRE(events.size() == 4);
  const double begin = events[0].at("ts");
  CHECK(events[0].at("name") == "rollout");
  CHECK(events[0].at("pid") == 0);
  CHECK(events[0].at("args").at("step") == 4);
  CHECK(events[0].at("dur") == 10.001);
  // rank 1's clock is 1 ms behind: it came to the collective 5 us after rank 0
  CHECK(events[1].at("args").at("wait_us") == 5.0);
  CHECK(events[1].at("args").at("phase") == "rollout");
  CHECK(events[2].at("pid") == 1);
  CHECK(std::abs(events[2].at("ts").get<double>() - begin) < 1e-3);
  CHECK(events[3].at("args").at("wait_us") == 0.0);
  CHECK(events[3].at("tid") != events[2].at("tid"));
  std::map<std::string, Json> names;
  for (const auto& event : read_json(path))
    if (event.at("ph") == "M" && event.at("pid") == 1) names[event.at("name")] = event.at("args");
  CHECK(names.at("process_name").at("name") == "rank 1 (n2 \"x\")");
  CHECK(names.at("process_labels").at("labels") == "clock +1000.0 us +- 2.5 us to rank 0's");
}

TEST_CASE("trace: the file is whole at any time, and has an end") {
  const TempFolder folder;
  const auto path = folder / "trace_1.json";
  const std::vector<TracedRank> ranks = {{"n1", {}}};
  TraceFile file(path, ranks, 4096);
  std::size_t before = 0;
  while (!file.ended()) {
    file.write(std::vector<RecordedSpans>{recorded({{"step", "", 1, 10, 20, -1}})});
    const auto events = events_of(path).size();
    CHECK(events == before + (file.ended() ? 0 : 1));
    before = events;
    REQUIRE(before < 100);
  }
  CHECK(std::filesystem::file_size(path) <= 4096 + 8);
}

TEST_CASE("trace: a disk that refuses it ends the trace and nothing else") {
  const std::vector<TracedRank> ranks = {{"n1", {}}};
  TraceFile file("/dev/full", ranks);
  CHECK(file.ended());
  file.write(std::vector<RecordedSpans>{recorded({{"step", "", 1, 10, 20, -1}})});
}

}  // namespace aha
