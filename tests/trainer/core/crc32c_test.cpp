#include "trainer/core/crc32c.h"

#include <string>

#include "tests/support/catch.h"
#include "trainer/core/philox.h"

using namespace aha;

// RFC 3720, appendix B.4; "123456789" is the catalogue's check value (reveng, CRC-32/ISCSI).
TEST_CASE("crc32c: known answers, by instruction and by table", "[core][golden]") {
  std::string rising;
  for (char c = 0; c < 32; ++c)
    rising += c;
  for (const auto& sum : {crc32c, crc32c_by_table}) {
    CHECK(sum("", 0) == 0U);
    CHECK(sum("123456789", 0) == 0xE3069283U);
    CHECK(sum(std::string(32, '\0'), 0) == 0x8A9136AAU);
    CHECK(sum(std::string(32, '\xff'), 0) == 0x62A8AB43U);
    CHECK(sum(rising, 0) == 0x46DD794EU);
  }
}

TEST_CASE("crc32c: instruction and table agree at any length, in any number of pieces", "[core]") {
  RandomStream random({1, Purpose::Task, 0, 0, 0, 0});
  std::string bytes;
  for (int length = 0; length < 70; ++length) {
    const auto cut = static_cast<std::size_t>(random.below(length + 1));
    const std::string_view all = bytes;
    const auto sum = crc32c(all);
    CHECK(crc32c_by_table(all) == sum);
    CHECK(crc32c(all.substr(cut), crc32c(all.substr(0, cut))) == sum);
    CHECK(crc32c_by_table(all.substr(cut), crc32c_by_table(all.substr(0, cut))) == sum);
    bytes += static_cast<char>(random.below(256));
  }
}
