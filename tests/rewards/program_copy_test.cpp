#include "rewards/external/program_copy.h"

#include <poll.h>

#include "rewards/external/protocol.h"
#include "rewards/external/sigpipe.h"
#include "tests/rewards/external_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

// What has been read is no news: an answer that is read with a request would lie there until the next one.
TEST_CASE("program copy: a request is written without reading answers", "[external]") {
  constexpr int kLong = 600000;
  const NoSigpipe quiet;
  ProgramCopy copy({external_scorer(), {"well"}, "a scorer"});
  copy.start();
  const auto has_news = [&](int milliseconds) {
    pollfd output{copy.interests().front().file, POLLIN, 0};
    return poll(&output, 1, milliseconds) == 1;
  };
  copy.say(greeting());
  REQUIRE(has_news(kLong));
  copy.say(request_text("1", {.completion = "hang", .row = Json::object(), .ids = {}}));
  CHECK(has_news(0));
  CHECK_FALSE(copy.next_line());
  CHECK(copy.move_bytes());
  CHECK(copy.next_line());
  CHECK_FALSE(has_news(0));
}
