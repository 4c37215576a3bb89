// Gigabytes a second that one thread and all cores read from one array, over and over: bench_bandwidth
// [MEGABYTES]. An array as large as a model's weights gives the floor of decoding with one row; best of
// many passes.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "trainer/core/clock.h"
#include "trainer/core/parallel.h"

namespace {

using Words = std::vector<std::uint64_t>;

volatile std::uint64_t seen;  // NOLINT: so that the reading is not optimised away

/// Eight sums side by side: the loads, not the additions, take the time.
void read(const std::uint64_t* words, std::size_t count) {
  std::uint64_t sums[8] = {};
  for (std::size_t i = 0; i + 8 <= count; i += 8)
    for (std::size_t j = 0; j < 8; ++j)
      sums[j] ^= words[i + j];
  for (const auto sum : sums)
    seen = sum;
}

double gigabytes_per_second(const Words& words, int threads, const aha::Exec& exec) {
  const std::size_t part = words.size() / static_cast<std::size_t>(threads);
  double best = 1e9;
  const auto begin = aha::Clock::now();
  while (aha::seconds_since(begin) < 1.5) {
    const auto start = aha::Clock::now();
    exec.run(threads, [&](std::int64_t piece) {
      read(words.data() + static_cast<std::size_t>(piece) * part, part);
    });
    best = std::min(best, aha::seconds_since(start));
  }
  return 1e-9 * static_cast<double>(words.size() * sizeof(Words::value_type)) / best;
}

}  // namespace

int main(int argc, char** argv) {
  const int megabytes = argc > 1 ? std::max(1, std::atoi(argv[1])) : 512;
  const int threads = aha::available_cores();
  const Words words(static_cast<std::size_t>(megabytes) * 1000000 / sizeof(Words::value_type), 1);
  aha::ThreadPool pool(threads);
  fmt::print("{:.1f} {:.1f}\n", gigabytes_per_second(words, 1, {}),
             gigabytes_per_second(words, threads, {&pool}));
}
