#include "trainer/core/parallel.h"

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "trainer/core/error.h"

using namespace aha;

TEST_CASE("ThreadPool: every piece runs once, for any number of threads", "[core]") {
  for (const int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    for (int repeat = 0; repeat < 200; ++repeat) {
      std::vector<std::atomic<int>> ran(17);
      pool.run(17, [&](std::int64_t piece) { ++ran[static_cast<std::size_t>(piece)]; });
      for (const auto& count : ran)
        REQUIRE(count == 1);
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

TEST_CASE("ThreadPool: the lowest piece that throws decides, for any number of threads", "[core]") {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (int repeat = 0; repeat < 300; ++repeat) {
      std::string what;
      try {
        pool.run(40, [](std::int64_t piece) {
          if (piece % 7 == 3) throw std::runtime_error(std::to_string(piece));
        });
      } catch (const std::runtime_error& error) {
        what = error.what();
      }
      REQUIRE(what == "3");
    }
  }
}

TEST_CASE(
    "ThreadPool: loops of any size with and without errors, one after the other, lose nothing",
    "[core]") {
  ThreadPool pool(4);
  std::int64_t expected = 0;
  std::atomic<std::int64_t> sum = 0;
  int thrown = 0;
  for (std::int64_t loop = 0; loop < 5000; ++loop) {
    const std::int64_t pieces = loop % 23;
    if (loop % 10 == 9 && pieces > 0) {
      try {
        pool.run(pieces, [](std::int64_t) { throw 1; });
      } catch (int) {
        ++thrown;
      }
      continue;
    }
    pool.run(pieces, [&](std::int64_t piece) { sum += piece + 1; });
    expected += pieces * (pieces + 1) / 2;
  }
  CHECK(sum == expected);
  CHECK(thrown > 400);
}

TEST_CASE("ThreadPool: more busy neighbours than cores slow it, and do not stall it", "[core]") {
  std::atomic<bool> stop = false;
  std::vector<std::thread> neighbours(2 * static_cast<std::size_t>(available_cores()));
  for (auto& neighbour : neighbours)
    neighbour = std::thread([&] {
      while (!stop.load()) {
      }
    });
  const auto start = std::chrono::steady_clock::now();
  std::atomic<int> ran = 0;
  {
    ThreadPool pool(available_cores() + 1);
    for (int loop = 0; loop < 50; ++loop)
      pool.run(16, [&](std::int64_t) { ++ran; });
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  stop = true;
  for (auto& neighbour : neighbours)
    neighbour.join();
  CHECK(ran == 50 * 16);
  CHECK(seconds.count() < 10);  // a time slice a loop at worst, not a spin until the neighbours end
}

TEST_CASE("ThreadPool: two loops at once are our bug, not a wrong result", "[core]") {
  ThreadPool pool(2);
  std::atomic<bool> began = false;
  std::atomic<bool> end = false;
  std::thread other([&] {
    pool.run(2, [&](std::int64_t) {
      began = true;
      while (!end.load())
        std::this_thread::yield();
    });
  });
  while (!began.load())
    std::this_thread::yield();
  CHECK_THROWS_AS(pool.run(2, [](std::int64_t) {}), InternalError);
  end = true;
  other.join();
}

TEST_CASE("Exec: without a team it runs here, in order", "[core]") {
  std::vector<std::int64_t> order;
  Exec{}.run(4, [&](std::int64_t piece) { order.push_back(piece); });
  CHECK(order == std::vector<std::int64_t>{0, 1, 2, 3});
  CHECK(Exec{}.threads() == 1);
  std::int64_t sum = 0;
  const auto add = [](void* context, std::int64_t piece) {
    *static_cast<std::int64_t*>(context) += piece;
  };
  Exec{}.run(5, add, &sum);
  CHECK(sum == 10);
  CHECK(available_cores() >= 1);
}
