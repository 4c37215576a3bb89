#include "trainer/kernels/stochastic.h"

#include <algorithm>

namespace aha {

void add_stochastic(const Exec& exec, const StochasticSum& p) {
  constexpr Index kPiece = 1024;  // of eights
  const Index begin = p.first / 8;
  const Index end = (p.first + p.n + 7) / 8;
  exec.run((end - begin + kPiece - 1) / kPiece, [&](std::int64_t piece) {
    const Index first = begin + piece * kPiece;
    for (Index eight = first; eight < std::min(end, first + kPiece); ++eight)
      add_eight(p, eight);
  });
}

}  // namespace aha
