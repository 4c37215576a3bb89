#include "trainer/kernels/cuda/numbers.h"

#include <cmath>

#include "tests/support/catch.h"

using namespace aha::cuda;

TEST_CASE("exp of numbers that are not above zero is exp to the bit") {
  const auto same = [](float x) { return bits_of(exp_below_zero(x)) == bits_of(exp_of(x)); };
  for (const float x : {0.0F, -0.0F, -0x1p-149F, -103.97F, -104.0F, -105.0F, -3e38F, -INFINITY})
    CHECK(same(x));
  CHECK(std::isnan(exp_below_zero(NAN)));
  int different = 0;
  for (std::uint32_t bits = bits_of(-0x1p-30F); bits <= bits_of(-110.0F); bits += 97)
    different += same(float_of(bits)) ? 0 : 1;
  CHECK(different == 0);
}
