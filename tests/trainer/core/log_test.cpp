#include "trainer/core/log.h"

#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"

using namespace aha;

TEST_CASE("log_to_file: messages are appended; what cannot be opened is a user's error", "[core]") {
  const aha_test::TempFolder folder;
  const auto before = spdlog::default_logger();
  for (const char* message : {"first", "second"}) {
    auto logger = std::make_shared<spdlog::logger>("test");
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(logger);
    log_to_file(folder / "log.txt");
    spdlog::info("{}", message);
  }
  CHECK_THROWS_WITH(log_to_file(folder.path()), aha_test::contains(folder.path().string()));
  spdlog::set_default_logger(before);
  const auto text = read_file(folder / "log.txt");
  CHECK(text.find(" I first\n") != std::string::npos);
  CHECK(text.find(" I second\n") != std::string::npos);
}
