#include "rollout/recorded_steps.h"

#include <array>
#include <set>
#include <string>

#include "rollout/device_steps.h"
#include "tests/support/catch.h"
#include "tests/support/error_of.h"
#include "trainer/core/error.h"

using aha::Index;

// what a device would be told
static std::string told;
static int alive = 0;

struct aha::Recording {
  std::string calls;
};

namespace {

/// A device that writes down what it is told.
aha::DeviceOps scribe() {
  aha::DeviceOps device{};
  device.prepare_recording = [] { told += "("; };
  device.begin_recording = [] { told += "["; };
  device.drop_recording = [] { told += "x"; };
  device.end_recording = [] {
    ++alive;
    const auto begin = told.rfind('[');
    auto* recording = new aha::Recording{told.substr(begin + 1)};
    told += "]";
    return recording;
  };
  device.launch = [](const aha::Recording* recording) { told += "!" + recording->calls; };
  device.forget = [](aha::Recording* recording) {
    --alive;
    delete recording;
  };
  return device;
}

std::string what(const std::function<void()>& body) {
  told.clear();
  body();
  return told;
}

}  // namespace

TEST_CASE("rows of a launch: those that attend to the most come first, whoever was admitted first",
          "[rollout]") {
  struct Row {
    std::int32_t prompt;
    std::int64_t asked;
  };
  std::array<aha::Sequence, 5> all;
  std::array<aha::Sequence*, 5> rows{};
  constexpr std::array kRows{Row{100, 24}, Row{101, 4}, Row{90, 40}, Row{120, 4}, Row{80, 25}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].position = kRows[i].prompt;
    all[i].asked = kRows[i].asked;
    rows[i] = &all[i];
  }
  // as they came where they are as long
  CHECK(aha::longest_first(rows) == std::vector{&all[2], &all[0], &all[3], &all[1], &all[4]});
}

TEST_CASE("buckets: 1, 2, 4, 8 and multiples of 16 hold every number of rows, with few to spare",
          "[rollout]") {
  std::set<Index> buckets;
  for (Index rows = 1; rows <= aha::kMostRows; ++rows) {
    const Index bucket = aha::bucket_of(rows);
    INFO("rows " << rows);
    REQUIRE(bucket >= rows);
    REQUIRE(bucket <= aha::kMostRows);
    REQUIRE((rows <= 8 ? bucket < 2 * rows : bucket < rows + 16));
    REQUIRE(aha::bucket_of(bucket) == bucket);
    buckets.insert(bucket);
  }
  std::set<Index> expected = {1, 2, 4, 8};
  for (Index rows = 16; rows <= 512; rows += 16)
    expected.insert(rows);
  CHECK(buckets == expected);
}

TEST_CASE("recorded steps: a bucket runs once, is recorded once, and is asked for from then on",
          "[rollout]") {
  const aha::DeviceOps device = scribe();
  {
    aha::RecordedSteps steps(device, [](Index rows) { told += std::to_string(rows) + " "; });
    CHECK_FALSE(steps.has(48));
    CHECK(what([&] { steps.record(48); }) == "(48 [48 ]");
    CHECK(steps.has(48));
    CHECK(what([&] { steps.record(2); }) == "(2 [2 ]");
    CHECK(what([&] { steps.launch(48); }) == "!48 ");
    CHECK(what([&] { steps.launch(2); }) == "!2 ");
    CHECK(alive == 2);

    // a larger one moves what the others point to
    CHECK(what([&] { steps.record(64); }) == "(64 [64 ]");
    CHECK(alive == 1);
    CHECK_FALSE(steps.has(48));
    CHECK_FALSE(steps.has(2));
    steps.record(2);
    steps.forget();
    CHECK(alive == 0);
    CHECK_FALSE(steps.has(64));
    steps.record(16);
  }
  CHECK(alive == 0);
}

TEST_CASE(
    "recorded steps: what throws while it is prepared or recorded is dropped, and may be tried "
    "again",
    "[rollout]") {
  const aha::DeviceOps device = scribe();
  int steps_left = 0;
  aha::RecordedSteps steps(device, [&](Index rows) {
    if (steps_left-- == 0) aha::fail("no memory");
    told += std::to_string(rows) + " ";
  });
  const auto record = [&] { aha_test::error_of([&] { steps.record(16); }); };
  CHECK(what(record) == "(x");
  steps_left = 1;
  CHECK(what(record) == "(16 [x");
  CHECK_FALSE(steps.has(16));
  steps_left = 2;
  CHECK(what([&] { steps.record(16); }) == "(16 [16 ]");
  CHECK(steps.has(16));
}
