#include "trainer/kernels/simd.h"

#include <cmath>
#include <cstring>

#include "tests/support/catch.h"

// The portable body is measured here; tables_test.cpp holds the others to its bits.
namespace kernels = aha::AHA_ISA;

namespace {

float one(kernels::F16 x) {
  return kernels::lane0(x);
}

/// |got - true| in units of the true value's last place.
double ulps(float got, double exact) {
  const auto nearest = static_cast<float>(exact);
  const double unit = std::abs(static_cast<double>(std::nextafter(nearest, INFINITY)) -
                               static_cast<double>(nearest));
  return std::abs(static_cast<double>(got) - exact) / unit;
}

}  // namespace

TEST_CASE("exp: within 1.1 ulp of the C library's double over its whole range") {
  double worst = 0;
  for (int i = 0; i < 2'000'000; ++i) {
    const float x = -87.3F + static_cast<float>(i) * (88.7F + 87.3F) / 2'000'000.0F;
    worst = std::max(worst,
                     ulps(one(kernels::exp(kernels::set1(x))), std::exp(static_cast<double>(x))));
  }
  CHECK(worst < 1.1);
  // below the normal numbers the unit is that of the smallest
  for (int i = 0; i < 1570; ++i) {
    const float x = -103.0F + 0.01F * static_cast<float>(i);
    CHECK(std::abs(static_cast<double>(one(kernels::exp(kernels::set1(x)))) -
                   std::exp(static_cast<double>(x))) < 1.5e-45);
  }
}

TEST_CASE("exp: exact at 0, zero and infinity outside, NaN kept") {
  const auto exp = [](float x) { return one(kernels::exp(kernels::set1(x))); };
  CHECK(exp(0.0F) == 1.0F);
  CHECK(exp(-0.0F) == 1.0F);
  CHECK(exp(-105.0F) == 0.0F);
  CHECK(exp(-INFINITY) == 0.0F);
  CHECK(std::isinf(exp(88.8F)));
  CHECK(std::isinf(exp(INFINITY)));
  CHECK(std::isnan(exp(NAN)));
}

TEST_CASE("log: within 1.1 ulp of the C library's double on normal numbers, exact at 1") {
  double worst = 0;
  for (std::uint32_t bits = 0x00800000U; bits < 0x7f800000U; bits += 1009U) {
    float x = 0;
    std::memcpy(&x, &bits, 4);
    const double exact = std::log(static_cast<double>(x));
    if (exact != 0) worst = std::max(worst, ulps(kernels::log(x), exact));
  }
  CHECK(worst < 1.1);
  CHECK(kernels::log(1.0F) == 0.0F);
  CHECK(std::isnan(kernels::log(NAN)));
}
