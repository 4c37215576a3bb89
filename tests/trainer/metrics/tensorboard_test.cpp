#include "trainer/metrics/tensorboard.h"

#include <cstdlib>
#include <limits>

#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "tests/trainer/metrics/metrics_support.h"
#include "trainer/core/file.h"

using namespace aha;
using aha_test::TempFolder;

namespace {

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

MetricsRow row(std::int64_t step, double reward) {
  MetricsRow values("grpo", step, step + 100);
  values.set("reward", reward);
  return values;
}

std::string event_file(const TempFolder& folder) {
  return read_file(folder / std::string(TensorboardWriter::kFileName));
}

}  // namespace

TEST_CASE("tensorboard: records are those of the tensorboard package, byte for byte",
          "[metrics][golden]") {
  const auto file = aha_test::golden("tensorboard.json");
  for (const auto& event : file["events"]) {
    const auto wall = event["wall_time"].get<double>();
    std::string ours;
    if (event.contains("version")) {
      ours = version_event(wall);
    } else {
      std::vector<Scalar> scalars;
      for (const auto& pair : event["scalars"])
        scalars.push_back({pair[0].get<std::string>(), pair[1].get<float>()});
      ours = scalar_event(wall, event["step"].get<std::int64_t>(), scalars);
    }
    CHECK(hex(tf_record(ours)) == event["record"].get<std::string>());
  }
}

TEST_CASE("TensorboardWriter: a cut file goes on as if it had not stopped", "[metrics]") {
  const TempFolder whole;
  const TempFolder cut;
  std::uint64_t saved = 0;
  for (const auto* folder : {&whole, &cut}) {
    TensorboardWriter writer(folder->path(), 5.0);
    writer.write(row(0, 0.1), 6.0);
    saved = writer.offset();
    writer.write(row(1, 0.2), 7.0);
  }
  TensorboardWriter resumed(cut.path(), 99.0, saved);
  resumed.write(row(1, 0.2), 7.0);
  CHECK(event_file(cut) == event_file(whole));
}

TEST_CASE("TensorboardWriter: what no float holds is left out, an empty row writes nothing",
          "[metrics]") {
  const TempFolder folder;
  TensorboardWriter writer(folder.path(), 5.0);
  const auto before = writer.offset();
  writer.write(MetricsRow("grpo", 1, 1), 6.0);
  writer.write(row(1, std::numeric_limits<double>::quiet_NaN()), 6.0);
  writer.write(row(1, 1e300), 6.0);
  CHECK(writer.offset() == before);
}

// For read_events.py: writes AHA_EVENTS and what it holds.
TEST_CASE("TensorboardWriter: a folder for the tensorboard package", "[.write_events]") {
  const char* folder = std::getenv("AHA_EVENTS");
  REQUIRE(folder != nullptr);
  TensorboardWriter writer(folder, 1.7e9);
  OrderedJson expected;
  for (std::int64_t step = 0; step < 3; ++step) {
    MetricsRow values("grpo", step, step + 10);
    values.set("reward", 0.25 * static_cast<double>(step));
    values.set("rewards/accuracy/mean", -0.5);
    if (step == 2) values.set("eval_accuracy", 0.75);
    if (step == 2) values.set("reward_std", std::numeric_limits<double>::quiet_NaN());
    writer.write(values, 1.7e9 + static_cast<double>(step));
    for (const auto& [key, value] : values.entries())
      if (value == value) expected[key].push_back({step + 10, value});
  }
  write_file_atomic(std::string(folder) + "/expected.json", expected.dump());
}
