#include "trainer/config/listen_address.h"

#include "tests/support/catch.h"

using namespace aha;  // NOLINT

TEST_CASE("listen address: a port is this machine's own, an address is what it says") {
  const auto text_of = [](const char* text) {
    const auto found = listen_address(text);
    return found ? found->text() : "";
  };
  CHECK(text_of("9464") == "127.0.0.1:9464");
  CHECK(text_of("localhost:80") == "127.0.0.1:80");
  CHECK(text_of("0.0.0.0:65535") == "0.0.0.0:65535");
  CHECK(text_of("[::1]:0") == "[::1]:0");
  for (const char* wrong : {"", ":", "9464x", "-1", "+1", " 1", "65536", "127.0.0.1:", ":9464",
                            "::1:9464", "[::1]", "[]:1", "[127.0.0.1]:1", "127.0.0:1",
                            "127.0.0.1 :1", "n7:9464", "http://127.0.0.1:1", "1:2:3"}) {
    INFO(wrong);
    CHECK_FALSE(listen_address(wrong));
  }
}
