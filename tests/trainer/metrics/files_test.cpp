#include <cmath>
#include <limits>

#include "tests/support/catch.h"
#include "tests/support/full_disk.h"
#include "tests/support/temp_folder.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/metrics/append_file.h"
#include "trainer/metrics/jsonl.h"

using namespace aha;
using aha_test::contains;
using aha_test::TempFolder;
using aha_test::with_full_disk;
namespace fs = std::filesystem;

TEST_CASE("AppendFile: opened at an offset it is cut there and goes on", "[metrics]") {
  const TempFolder folder;
  {
    AppendFile file(folder / "a");
    file.append("first\n");
    CHECK(file.offset() == 6);
    file.append("second\n");
    file.sync();
  }
  {
    AppendFile file(folder / "a", 6);
    file.append("third\n");
  }
  CHECK(read_file(folder / "a") == "first\nthird\n");
  const AppendFile emptied(folder / "a");
  CHECK(read_file(folder / "a").empty());
}

TEST_CASE("AppendFile: a file shorter than the checkpoint says, or gone, is refused untouched",
          "[metrics]") {
  const TempFolder folder;
  write_file_atomic(folder / "a", "12345");
  CHECK_THROWS_WITH(AppendFile(folder / "a", 6), contains("holds 5 bytes"));
  CHECK_THROWS_AS(AppendFile(folder / "a", UINT64_MAX), UserError);
  CHECK(read_file(folder / "a") == "12345");
  CHECK_THROWS_WITH(AppendFile(folder / "gone", 6), contains("gone: is missing"));
  CHECK_FALSE(fs::exists(folder / "gone"));
}

TEST_CASE("AppendFile: what cannot be opened is a user's error that names it", "[metrics]") {
  const TempFolder folder;
  CHECK_THROWS_WITH(AppendFile(folder.path()), contains(folder.path().string()));
  CHECK_THROWS_AS(AppendFile(folder / "none/a"), UserError);
}

TEST_CASE("AppendFile: a device that is full says so", "[metrics]") {
  AppendFile file("/dev/full");
  CHECK_THROWS_WITH(file.append("x"), contains("/dev/full: writing failed: No space left"));
  CHECK(file.offset() == 0);
}

TEST_CASE("AppendFile: a disk that fills up in a record loses none before and keeps no half",
          "[metrics]") {
  const TempFolder folder;
  const auto path = folder / "a";
  CHECK(with_full_disk(20, [&] {
    AppendFile file(path);
    file.append("0123456789\n");
    try {
      file.append("a record that does not fit\n");
    } catch (const UserError&) {
      file.append("short\n");  // room was made
      return file.offset() == 17;
    }
    return false;
  }));
  CHECK(read_file(path) == "0123456789\nshort\n");
}

TEST_CASE("AppendFile: what a full disk does not take is held, and written when there is room",
          "[metrics]") {
  const TempFolder folder;
  const auto path = folder / "a";
  CHECK(with_full_disk(20, [&] {
    AppendFile file(path);
    file.append_or_hold("0123456789\n");
    file.append_or_hold("does not fit\n");
    file.append_or_hold("short\n");
    const bool held = file.offset() == 30 && read_file(path) == "0123456789\n";
    bool refused = false;
    try {
      file.sync();
    } catch (const UserError&) {
      refused = file.offset() == 30;
    }
    aha_test::limit_files(40);
    file.append_or_hold("last\n");
    file.sync();
    return held && refused && file.offset() == 35;
  }));
  CHECK(read_file(path) == "0123456789\ndoes not fit\nshort\nlast\n");
}

TEST_CASE("AppendFile: what is held has a limit", "[metrics]") {
  AppendFile file("/dev/full");
  const std::string half(AppendFile::kMostHeld / 2, 'x');
  file.append_or_hold(half);
  file.append_or_hold(half);
  CHECK_THROWS_WITH(file.append_or_hold("x"), contains("/dev/full: writing failed: No space left"));
}

TEST_CASE("JsonlWriter: rows read back; numbers keep every bit; NaN is null; bad UTF-8 is replaced",
          "[metrics]") {
  const TempFolder folder;
  JsonlWriter writer(folder / "rows.jsonl");
  writer.write(OrderedJson{{"z", 0.1}, {"a", std::numeric_limits<double>::quiet_NaN()}});
  const std::vector<OrderedJson> two = {OrderedJson{{"b", 1.0 / 3.0}},
                                        OrderedJson{{"text", "a\xff\n\"b"}}};
  writer.write(std::span<const OrderedJson>(two));
  CHECK(writer.offset() == fs::file_size(folder / "rows.jsonl"));
  CHECK(read_file(folder / "rows.jsonl").starts_with("{\"z\":0.1,\"a\":null}\n"));
  const auto rows = read_jsonl(folder / "rows.jsonl");
  REQUIRE(rows.size() == 3);
  CHECK(rows[1]["b"].get<double>() == 1.0 / 3.0);
  CHECK(rows[2]["text"] == "a\xef\xbf\xbd\n\"b");
}

TEST_CASE("JsonlWriter: resumed at an offset it writes the same bytes again", "[metrics]") {
  const TempFolder folder;
  const auto path = folder / "rows.jsonl";
  std::uint64_t saved = 0;
  {
    JsonlWriter writer(path);
    for (int step = 0; step < 5; ++step) {
      writer.write(OrderedJson{{"step", step}});
      if (step == 2) saved = writer.offset();
    }
  }
  const auto whole = read_file(path);
  write_file_atomic(path, whole + "{\"step\": 5, \"rew");  // killed in a write
  JsonlWriter resumed(path, saved);
  for (int step = 3; step < 5; ++step)
    resumed.write(OrderedJson{{"step", step}});
  CHECK(read_file(path) == whole);
}

TEST_CASE("JsonlWriter: several rows are in the file, or none", "[metrics]") {
  const TempFolder folder;
  const auto path = folder / "rows.jsonl";
  CHECK(with_full_disk(25, [&] {
    JsonlWriter writer(path);
    writer.write(OrderedJson{{"step", 1}});
    const std::vector<OrderedJson> rows = {OrderedJson{{"step", 2}}, OrderedJson{{"step", 3}}};
    writer.write(std::span<const OrderedJson>(rows));
    return true;
  }));
  CHECK(read_file(path) == "{\"step\":1}\n");
}

TEST_CASE("parse_jsonl: a half last line is passed over, a half line elsewhere is named",
          "[metrics]") {
  CHECK(parse_jsonl("{\"a\":1}\n\n  \n{\"a\":2}\n{\"a\":", "f").size() == 2);
  CHECK(parse_jsonl("{\"a\":1}\n{\"a\":2}", "f").size() == 2);
  CHECK(parse_jsonl("", "f").empty());
  CHECK_THROWS_WITH(parse_jsonl("{\"a\":1}\n{\"a\":\n{}\n", "f"), contains("f:2: not valid JSON"));
  CHECK_THROWS_AS(read_jsonl("/nowhere/f"), UserError);
}
