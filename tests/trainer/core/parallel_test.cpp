#include "trainer/core/parallel.h"

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "tests/support/catch.h"

using namespace aha;

TEST_CASE("ThreadPool: every piece runs once, for any number of threads", "[core]") {
  for (const int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    for (int repeat = 0; repeat < 200; ++repeat) {
      std::vector<std::atomic<int>> ran(17);
      pool.run(17, [&](std::int64_t piece) { ++ran[static_cast<std::size_t>(piece)]; });
      for (const auto& count : ran) REQUIRE(count == 1);
    }
  }
}

TEST_CASE("ThreadPool: a piece's exception reaches the caller and the pool goes on", "[core]") {
  ThreadPool pool(3);
  CHECK_THROWS_AS(pool.run(8,
                           [](std::int64_t piece) {
                             if (piece == 5) throw std::runtime_error("piece 5");
                           }),
                  std::runtime_error);
  std::atomic<int> ran = 0;
  pool.run(8, [&](std::int64_t) { ++ran; });
  CHECK(ran == 8);
}

TEST_CASE("ThreadPool: a loop inside a piece runs where it is", "[core]") {
  ThreadPool pool(2);
  std::atomic<int> ran = 0;
  pool.run(4, [&](std::int64_t) { pool.run(4, [&](std::int64_t) { ++ran; }); });
  CHECK(ran == 16);
}
