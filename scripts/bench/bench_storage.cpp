// A decode step's products with weights of 32 and 16 bits: bench_storage [THREADS]; AHA_CPU picks the table.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "scripts/bench/timing.h"

namespace {

using namespace aha_bench;
using aha::Exec;

/// The products of one decode step of SmolLM2-135M, weights as they lie in memory: least time in each storage,
/// measured in turns, and the middle of the turns' ratios to f32.
void bench(const aha::Ops& ops, const Exec& exec) {
  constexpr Index kLayers = 30;
  const std::vector<std::pair<Index, Index>> shapes{
      {960, 576}, {576, 576}, {3072, 576}, {576, 1536}};
  constexpr std::pair<Index, Index> kHead{49152, 576};
  std::vector<std::pair<Index, Index>> products{kHead};
  for (Index l = 0; l < kLayers; ++l)
    products.insert(products.end(), shapes.begin(), shapes.end());
  Index total = 0;
  for (const auto& [N, K] : products)
    total += N * K;
  const Floats values = random_floats(total);
  std::vector<std::uint16_t> bf16(at(total));
  std::vector<std::uint16_t> fp16(at(total));
  ops.narrow(exec, values.data(), total, aha::FloatType::BF16, bf16.data());
  ops.narrow(exec, values.data(), total, aha::FloatType::F16, fp16.data());
  const struct {
    const char* name;
    aha::FloatType type;
    const void* rows;
  } storages[] = {{"f32", aha::FloatType::F32, values.data()},
                  {"bf16", aha::FloatType::BF16, bf16.data()},
                  {"fp16", aha::FloatType::F16, fp16.data()}};
  fmt::print("SmolLM2-135M, products of a decode step\n");
  for (const Index M : {1, 2, 4, 8, 12, 16, 24, 32, 48, 64}) {
    const Floats x = random_floats(M * 1536);
    Floats y(at(M * kHead.first));
    std::vector<double> seconds[3];
    for (int round = 0; round < 7; ++round)
      for (std::size_t s = 0; s < 3; ++s) {
        const Index bytes = aha::bytes_of(storages[s].type);
        seconds[s].push_back(seconds_of([&] {
          const auto* rows = static_cast<const char*>(storages[s].rows);
          for (const auto& [N, K] : products) {
            ops.linear(exec,
                       {x.data(), K, {rows, nullptr, storages[s].type}, y.data(), N, M, N, K});
            rows += N * K * bytes;
          }
        }));
      }
    fmt::print("  {:>2} rows", M);
    for (std::size_t s = 0; s < 3; ++s) {
      std::vector<double> ratios;
      for (std::size_t i = 0; i < seconds[s].size(); ++i)
        ratios.push_back(seconds[0][i] / seconds[s][i]);
      std::nth_element(ratios.begin(), ratios.begin() + 3, ratios.end());
      const double best = *std::min_element(seconds[s].begin(), seconds[s].end());
      const auto elements = static_cast<double>(total);
      fmt::print("  | {:<4} {:>6.1f} ms {:>5.1f} GB/s {:>4.0f} GFLOP/s {:>5.2f} x",
                 storages[s].name, best * 1e3,
                 1e-9 * elements * static_cast<double>(aha::bytes_of(storages[s].type)) / best,
                 2e-9 * elements * static_cast<double>(M) / best, ratios[3]);
    }
    fmt::print("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  aha::ThreadPool pool(argc > 1 ? std::max(1, std::atoi(argv[1])) : aha::available_cores());
  bench(aha::cpu_ops(), Exec{&pool});
}
