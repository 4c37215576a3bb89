#include "trainer/core/text.h"

#include <array>

#include "tests/support/catch.h"

using namespace aha;

TEST_CASE("nearest: a slip of the keyboard is found, another word is not", "[core]") {
  const std::array<std::string, 3> keys = {"epsilon", "epsilon_high", "beta"};
  CHECK(nearest("epsilon_hihg", keys) == "epsilon_high");
  CHECK(nearest("learning_rate_of_all", keys).empty());
}

TEST_CASE("texts for people", "[core]") {
  CHECK(with_commas(1234567) == "1,234,567");
  CHECK(with_commas(-999) == "-999");
  CHECK(with_commas(-1234) == "-1,234");
  CHECK(duration_text(0.42) == "0.4 s");
  CHECK(duration_text(75) == "1 min 15 s");
  CHECK(duration_text(93784) == "26 h 3 min");
  CHECK(bytes_text(1536) == "1.5 KiB");
  CHECK(bytes_text(12) == "12 B");
  const std::array<std::string, 3> words = {"a", "b", "c"};
  CHECK(join_list(words) == "a, b and c");
}
