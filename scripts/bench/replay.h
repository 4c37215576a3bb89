#pragma once
// The steps of a job on the CPU, and the same batches trained on another table of kernels: how far its numbers are
// from the CPU's.
#include <memory>

#include "trainer/run/step.h"

namespace aha_bench {

/// What a step of the other table was off by. Both sides start from one set of weights. In f32 they go their own way; with
/// weights of 16 bits, where what is rounded differently soon moves other elements by a learning rate, each step begins with
/// the CPU's weights and moments on both.
struct ReplayGaps {
  std::int64_t step = 0;
  std::int64_t tokens = 0;
  double loss = 0;          ///< of the CPU
  double logprob_max = 0;   ///< over all tokens of the step, before its update; nats
  double logprob_mean = 0;  ///< of the absolute difference
  double gradient = 0;      ///< ||g - g_cpu|| / ||g_cpu||
  double weights =
      0;  ///< ||w - w_cpu|| / ||w_cpu - w_start||, after the update; with 16 bits / that of the step
};

/// What gaps may be. Products in f32 differ in the order of their sums. With weights of 16 bits a GPU also rounds what
/// they are multiplied by, which a CPU does not: a relative error of 2^-9 a product, in every layer. AdamW divides by
/// the gradient's size, so an element whose gradient is nearly nothing may move by a whole learning rate either
/// way: weights are held to a part of the way that they went.
struct ReplayTolerances {
  double logprob_max, logprob_mean, gradient, weights;

  static ReplayTolerances of(aha::FloatType storage) {
    if (storage == aha::FloatType::F32) return {1e-3, 1e-4, 1e-3, 1e-2};
    return {0.5, 2e-2, 0.15, 0.3};
  }
  /// Not-a-number is no gap that is held.
  bool hold(const ReplayGaps& g) const {
    return g.logprob_max <= logprob_max && g.logprob_mean <= logprob_mean &&
           g.gradient <= gradient && g.weights <= weights;
  }
};

/// A GRPO stage twice, on the CPU and on `other`. The CPU samples and scores; both train.
class Replay {
 public:
  /// `config` has one stage, of GRPO.
  Replay(const aha::Config& config, const aha::Ops& other, int threads = 0);
  ~Replay();

  /// One step on both sides.
  ReplayGaps step();

  aha::FloatType storage() const;

 private:
  struct Side;
  bool from_one_place() const { return storage() != aha::FloatType::F32; }
  aha::Config config_;
  std::unique_ptr<Side> cpu_, other_;
  std::vector<float> start_;  ///< the weights of both, at the first step or at each
};

/// The command `bench_gpu replay`: its arguments, the name first; its exit code.
int gpu_replay(int argc, char** argv);

}  // namespace aha_bench
