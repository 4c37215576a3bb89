#include "trainer/run/run_lock.h"

#include <atomic>
#include <optional>
#include <thread>

#include "tests/support/catch.h"
#include "tests/support/error_of.h"
#include "tests/support/process.h"
#include "trainer/core/json.h"

using namespace aha_test;
namespace fs = std::filesystem;

namespace {

/// What a run on another host leaves in .lock when it is killed, or while it lives.
std::string elsewhere() {
  return R"({"pid":77,"host":"n7","since":"2026-01-02 03:04:05 UTC","machine":"another"})";
}

std::string refusal(const fs::path& folder, double patience_s) {
  return error_of([&] { aha::RunLock lock(folder, patience_s); });
}

}  // namespace

TEST_CASE("lock: who holds it is named, and it is free again when they leave") {
  const TempFolder folder;
  std::optional<aha::RunLock> lock(std::in_place, folder.path());
  const auto holder = aha::read_json(folder / ".lock");
  const auto said = refusal(folder.path(), 10);
  CHECK(said == "output_dir: " + folder.path().string() + " is used by aha train, pid " +
                    std::to_string(getpid()) + " on host " + holder.at("host").get<std::string>() +
                    ", since " + holder.at("since").get<std::string>() +
                    "; wait for it or choose another");
  CHECK(aha::read_json(folder / ".lock") == holder);
  lock.reset();
  CHECK(slurp(folder / ".lock").empty());
  CHECK(refusal(folder.path(), 10) == "no error");
}

TEST_CASE("lock: of a run on another host that renews it is respected, a silent one is not") {
  const TempFolder folder;
  const auto file = folder / ".lock";
  spill(file, elsewhere());
  std::atomic<bool> alive = true;
  std::thread other([&] {
    while (alive) {
      fs::last_write_time(file, fs::file_time_type::clock::now());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  const auto said = refusal(folder.path(), 10);
  alive = false;
  other.join();
  CHECK_THAT(said, contains("is used by aha train, pid 77 on host n7, since 2026-01-02 03:04:05"));
  CHECK(slurp(file) == elsewhere());
  CHECK(refusal(folder.path(), 0.1) == "no error");
}

TEST_CASE("lock: what is no lock's text is nobody's") {
  for (const char* text : {"", "{", "[1]", "\xff\xfe"}) {
    const TempFolder folder;
    spill(folder / ".lock", text);
    CHECK(refusal(folder.path(), 10) == "no error");
  }
}
