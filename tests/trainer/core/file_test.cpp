#include "trainer/core/file.h"

#include "tests/support/catch.h"
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
