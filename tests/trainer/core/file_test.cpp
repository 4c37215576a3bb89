#include "trainer/core/file.h"

#include <thread>

#include "tests/support/catch.h"
#include "tests/support/full_disk.h"
#include "tests/support/temp_folder.h"
#include "trainer/core/error.h"

using namespace aha;
using aha_test::TempFolder;

TEST_CASE("write_file_atomic: replaces the whole file and leaves no temporary", "[core]") {
  const TempFolder folder;
  write_file_atomic(folder / "a", "first, longer");
  write_file_atomic(folder / "a", "second");
  CHECK(read_file(folder / "a") == "second");
  CHECK_FALSE(std::filesystem::exists(folder / "a.tmp"));
}

TEST_CASE("write_file_atomic: a folder that does not exist is a user's error, nothing is left",
          "[core]") {
  const TempFolder folder;
  CHECK_THROWS_AS(write_file_atomic(folder / "none/a", "x"), UserError);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("write_file_atomic: a full disk keeps the old file", "[core]") {
  // /dev/full accepts the open and refuses every byte
  CHECK_THROWS_WITH(
      [] {
        const TempFolder folder;
        std::filesystem::create_symlink("/dev/full", folder / "a.tmp");
        write_file_atomic(folder / "a", "data");
      }(),
      aha_test::contains("No space left"));
}

TEST_CASE("replace_symlink: points elsewhere in one step", "[core]") {
  const TempFolder folder;
  replace_symlink("step_1", folder / "latest");
  replace_symlink("step_2", folder / "latest");
  CHECK(std::filesystem::read_symlink(folder / "latest") == "step_2");
}

TEST_CASE("MappedFile: shows the file's bytes; empty and missing files", "[core]") {
  const TempFolder folder;
  write_file_atomic(folder / "a", "xyz");
  const MappedFile file(folder / "a");
  REQUIRE(file.bytes().size() == 3);
  CHECK(static_cast<char>(file.bytes()[2]) == 'z');
  write_file_atomic(folder / "empty", "");
  CHECK(MappedFile(folder / "empty").bytes().empty());
  CHECK_THROWS_AS(MappedFile(folder / "missing"), UserError);
  CHECK_THROWS_AS(MappedFile(folder.path()), UserError);
}

TEST_CASE("write_file_atomic: a disk that fills up in the middle keeps the old file", "[core]") {
  const TempFolder folder;
  write_file_atomic(folder / "a", "old");
  CHECK(aha_test::with_full_disk(100, [&] {
    try {
      write_file_atomic(folder / "a", std::string(1000, 'x'));
    } catch (const UserError&) {
      return true;
    }
    return false;
  }));
  CHECK(read_file(folder / "a") == "old");
  CHECK_FALSE(std::filesystem::exists(folder / "a.tmp"));
}

TEST_CASE("write_file_atomic: a reader sees one whole version or the other", "[core]") {
  const TempFolder folder;
  const std::string one(100000, '1');
  const std::string two(100000, '2');
  write_file_atomic(folder / "a", one);
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i)
      write_file_atomic(folder / "a", i % 2 == 0 ? two : one);
  });
  bool whole = true;
  for (int i = 0; i < 200; ++i) {
    const auto seen = read_file(folder / "a");
    whole = whole && (seen == one || seen == two);
  }
  writer.join();
  CHECK(whole);
}

TEST_CASE("replace_symlink: what cannot be linked is a user's error and leaves nothing", "[core]") {
  const TempFolder folder;
  std::filesystem::create_directories(folder / "latest/inside");
  CHECK_THROWS_AS(replace_symlink("step_1", folder / "latest"), UserError);
  CHECK_FALSE(std::filesystem::exists(std::filesystem::symlink_status(folder / "latest.tmp")));
  CHECK(std::filesystem::exists(folder / "latest/inside"));
}

TEST_CASE("make_folder: parents too; a file in the way is a user's error", "[core]") {
  const TempFolder folder;
  make_folder(folder / "a/b/c");
  make_folder(folder / "a/b/c");
  CHECK(std::filesystem::is_directory(folder / "a/b/c"));
  write_file_atomic(folder / "file", "x");
  CHECK_THROWS_WITH(make_folder(folder / "file"), aha_test::contains("cannot be made"));
  CHECK_THROWS_AS(make_folder(folder / "file/below"), UserError);
  CHECK_THROWS_AS(read_file(folder / "a"), UserError);
}

TEST_CASE("MappedFile: moving hands the bytes over", "[core]") {
  const TempFolder folder;
  write_file_atomic(folder / "a", "xyz");
  MappedFile file(folder / "a");
  MappedFile moved(std::move(file));
  CHECK(moved.bytes().size() == 3);
  file = std::move(moved);
  CHECK(file.bytes().size() == 3);
}
