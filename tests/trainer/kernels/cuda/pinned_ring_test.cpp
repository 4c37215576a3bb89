#include "trainer/kernels/cuda/pinned_ring.h"

#include <algorithm>
#include <vector>

#include "tests/support/catch.h"

using aha::cuda::PinnedRing;

TEST_CASE("pinned ring: a place is given again only when the copies out of it are done") {
  std::vector<std::byte> memory(PinnedRing::kSegments * 256);
  PinnedRing ring(memory.data(), 256);
  // the mark of a moment is the number of pieces until then
  std::int64_t pieces = 0;
  std::int64_t done = 0;
  std::vector<std::int64_t> used_by(memory.size(), -1);
  const auto mark = [&] { return pieces; };
  const auto wait = [&](std::int64_t to) { done = std::max(done, to); };
  std::int64_t waits = 0;
  const auto upload = [&](std::int64_t bytes) {
    while (bytes > 0) {
      const std::int64_t before = done;
      const auto piece = ring.take(bytes, mark, wait);
      waits += done > before ? 1 : 0;
      REQUIRE(piece.bytes > 0);
      REQUIRE(piece.bytes <= bytes);
      REQUIRE((piece.memory >= memory.data() &&
               piece.memory + piece.bytes <= memory.data() + memory.size()));
      for (std::int64_t i = 0; i < piece.bytes; ++i) {
        auto& user = used_by[static_cast<std::size_t>(piece.memory - memory.data() + i)];
        REQUIRE(user < done);
        user = pieces;
      }
      ++pieces;
      bytes -= piece.bytes;
    }
  };
  for (const std::int64_t bytes : {1, 64, 65, 700})
    upload(bytes);
  CHECK(waits == 0);  // four segments hold them
  for (const std::int64_t bytes : {256, 3, 2000, 40, 40, 512, 1})
    upload(bytes);
  CHECK(waits > 2);
  waits = 0;
  for (int i = 0; i < 40; ++i)
    upload(1);
  CHECK(waits <= 40 / 4 + 1);  // small ones share a segment
}
