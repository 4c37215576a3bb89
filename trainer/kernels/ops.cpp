#include "trainer/kernels/ops.h"

#include <array>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "trainer/core/error.h"

namespace aha {

// one body each, from the same sources compiled three times
namespace avx512 {
const Ops& table();
}
namespace avx2 {
const Ops& table();
}
namespace portable {
const Ops& table();
}

namespace {

struct Body {
  std::string_view name;
  bool (*runs_here)();
  const Ops& (*table)();
};

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("fma");
}
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}
bool always() {
  return true;
}

/// Best first.
constexpr std::array<Body, 3> kBodies{{{"avx512", has_avx512, avx512::table},
                                       {"avx2", has_avx2, avx2::table},
                                       {"portable", always, portable::table}}};

}  // namespace

double sum_squares(const Ops& ops, const Exec& exec, const float* x, Index n) {
  std::vector<double> blocks(static_cast<std::size_t>((n + kSquaresBlock - 1) / kSquaresBlock));
  ops.block_squares(exec, x, n, blocks.data());
  double sum = 0;
  for (const double block : blocks)
    sum += block;
  return sum;
}

const Ops* cpu_ops(const char* name) {
  for (const auto& body : kBodies)
    if (body.name == name && body.runs_here()) return &body.table();
  return nullptr;
}

const Ops& cpu_ops() {
  const char* variable = std::getenv("AHA_CPU");
  const std::string_view wanted = variable == nullptr ? "" : variable;
  if (wanted.empty()) {
    for (const auto& body : kBodies)
      if (body.runs_here()) return body.table();
  }
  for (const auto& body : kBodies) {
    if (body.name != wanted) continue;
    if (!body.runs_here())
      fail("AHA_CPU: this machine has no {}; unset it to use the best", wanted);
    return body.table();
  }
  fail("AHA_CPU: '{}' is unknown, expected avx512, avx2 or portable", wanted);
}

}  // namespace aha
