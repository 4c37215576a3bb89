#pragma once
// Drawing from a row of logits by one block of threads: inverse CDF of one uniform. What may be drawn under top_k,
// top_p and min_p is found without sorting, by digits of the weights' bits.
#include "trainer/kernels/cuda/softmax.h"

namespace aha::cuda {

constexpr int kDigits = 256;  ///< a byte of a weight's bits

/// Threads of a row, of which no bit depends: where rows are fewer than multiprocessors each has one to itself.
constexpr int draw_threads(Index rows) {
  return rows > 128 ? kRowThreads : 2 * kRowThreads;
}

/// Beside RowMemory: what a draw works in.
struct DrawMemory {
  unsigned long long* bin;  ///< [kDigits] of counts or of masses
  std::int64_t* found;      ///< [4] what one thread found, for all
};

inline Index draw_bytes(Index V) {
  return round_up(row_bytes(V), 8) + 8 * (kDigits + 4);
}

AHA_DEVICE DrawMemory draw_memory(Index V) {
  DrawMemory m;
  auto* memory = shared_memory<unsigned char>() + (row_bytes(V) + 7) / 8 * 8;
  m.bin = reinterpret_cast<unsigned long long*>(memory);
  m.found = reinterpret_cast<std::int64_t*>(m.bin + kDigits);
  return m;
}

/// A row's weights exp(s - top), computed as they are asked for.
struct Weights {
  const float* z;
  Index V;
  float inv_temperature, top;

  AHA_DEVICE float operator()(Index i) const {
    return exp_below_zero(z[i] * inv_temperature - top);
  }
};

/// How much of the distribution may be drawn, as in HeadSample.
struct Truncation {
  Index top_k;
  float top_p, min_p;
};

/// Which ids may be drawn: those heavier than `least`, and of those that weigh `least` the ids up to `last`.
struct Kept {
  float least;
  std::int64_t last;
  float floor;  ///< of min_p

  AHA_DEVICE bool operator()(float weight, Index id) const {
    return weight > 0 && weight >= floor && (weight > least || (weight == least && id <= last));
  }
};

/// Masses are fixed-point numbers, whose sums have no order.
constexpr double kMassOne = 1099511627776.0;  // 2^40

AHA_DEVICE unsigned long long mass_of(float weight) {
  return static_cast<unsigned long long>(llrint(static_cast<double>(weight) * kMassOne));
}

/// Lowers what `kept` leaves to the heaviest ids whose sum of `amount` reaches `wanted` > 0, the smaller of
/// equally heavy ids first: the weight at the border digit by digit, then the last id that has it.
template <class Amount>
AHA_DEVICE Kept keep_heaviest(const Weights& w, const Kept& kept, unsigned long long wanted,
                              const Amount& amount, const DrawMemory& m) {
  std::uint32_t prefix = 0;
  unsigned long long before = 0;  // amount of what is heavier than the prefix
  for (int shift = 24; shift >= 0; shift -= 8) {
    __syncthreads();
    for (int i = thread(); i < kDigits; i += threads())
      m.bin[i] = 0;
    __syncthreads();
    for (Index i = thread(); i < w.V; i += threads()) {
      const float weight = w(i);
      const std::uint32_t bits = bits_of(weight);
      if (kept(weight, i) && (shift == 24 || bits >> (shift + 8) == prefix))
        atomicAdd(&m.bin[bits >> shift & 255U], amount(weight));
    }
    __syncthreads();
    if (thread() == 0) {
      int digit = kDigits - 1;
      while (digit > 0 && before + m.bin[digit] < wanted)
        before += m.bin[digit--];
      m.found[0] = digit;
      m.found[1] = static_cast<std::int64_t>(before);
    }
    __syncthreads();
    prefix = prefix << 8U | static_cast<std::uint32_t>(m.found[0]);
    before = static_cast<unsigned long long>(m.found[1]);
  }
  const float least = float_of(prefix);
  if (thread() == 0) m.bin[0] = 0;
  __syncthreads();
  unsigned long long equal = 0;
  for (Index i = thread(); i < w.V; i += threads()) {
    const float weight = w(i);
    if (weight == least && kept(weight, i)) ++equal;
  }
  atomicAdd(&m.bin[0], equal);
  __syncthreads();
  if (thread() == 0) {
    const unsigned long long each = amount(least) > 0 ? amount(least) : 1;
    unsigned long long wanted_equal = (wanted - before + each - 1) / each;
    m.found[2] = least == kept.least ? kept.last : w.V;  // a border that was there stays
    for (Index i = 0; m.bin[0] > wanted_equal; ++i)  // rare: equally heavy ids, of which some go
      if (w(i) == least && kept(least, i) && --wanted_equal == 0) {
        m.found[2] = i;
        break;
      }
  }
  __syncthreads();
  return {least, m.found[2], kept.floor};
}

struct One {
  AHA_DEVICE unsigned long long operator()(float) const { return 1; }
};
struct Mass {
  AHA_DEVICE unsigned long long operator()(float weight) const { return mass_of(weight); }
};

AHA_DEVICE unsigned long long total_mass(const Weights& w, const Kept& kept, const DrawMemory& m) {
  __syncthreads();
  if (thread() == 0) m.bin[0] = 0;
  __syncthreads();
  unsigned long long mass = 0;
  for (Index i = thread(); i < w.V; i += threads()) {
    const float weight = w(i);
    if (kept(weight, i)) mass += mass_of(weight);
  }
  atomicAdd(&m.bin[0], mass);
  __syncthreads();
  return m.bin[0];
}

AHA_DEVICE Kept truncate(const Truncation& p, const Weights& w, const DrawMemory& m) {
  Kept kept{0, w.V, 0};
  if (p.top_k > 0 && p.top_k < w.V)
    kept = keep_heaviest(w, kept, static_cast<unsigned long long>(p.top_k), One{}, m);
  if (p.top_p < 1.0F) {
    const auto total = static_cast<double>(total_mass(w, kept, m));
    const auto wanted = static_cast<unsigned long long>(ceil(total * static_cast<double>(p.top_p)));
    kept = keep_heaviest(w, kept, wanted > 0 ? wanted : 1, Mass{}, m);
  }
  if (p.min_p > 0.0F) kept.floor = p.min_p;  // the heaviest weighs exp(0) = 1
  return kept;
}

/// Sums of the kept weights of each block of elements -> sums, and their total, in every thread.
AHA_DEVICE double kept_sums(const Weights& w, const Kept& kept, const RowMemory& row) {
  const Index blocks = ceil_div(w.V, kLogitBlock);
  __syncthreads();
  for (Index first = 0; first < blocks; first += threads() / 16) {
    const Index block = first + thread() / 16;
    double sum = 0;
    for (int i = 0; i < kLaneElements; ++i) {
      const Index id = block * kLogitBlock + 16 * i + thread() % 16;
      const float weight = id < w.V ? w(id) : 0.0F;
      if (id < w.V && kept(weight, id)) sum += static_cast<double>(weight);
    }
    sum = lanes_sum<16>(sum);
    if (block < blocks && thread() % 16 == 0) row.sums[block] = sum;
  }
  __syncthreads();
  double total = 0;
  for (Index block = lane(); block < blocks; block += kWarp)
    total += row.sums[block];
  return lanes_sum(total);
}

/// Where a running sum passes a target.
struct Passing {
  Index at;
  double before;  ///< the sum before it
};

/// The first of term(begin), ..., term(end - 1), none below 0, with which the sum passes `target`; rounding may leave the
/// target at the sum of all: the last that is not 0.
template <class Term>
AHA_DEVICE Passing passing(Index begin, Index end, double before, double target, const Term& term) {
  Passing p{begin, before};
  for (Index i = begin; i < end; ++i) {
    const double x = term(i);
    if (x > 0) p = {i, before};
    before += x;
    if (before > target) break;
  }
  return p;
}

/// The same of term(0), ..., term(n - 1) by a warp: a stretch of them a lane, and then those of one stretch.
template <class Term>
AHA_DEVICE Passing warp_passing(Index n, double before, double target, const Term& term) {
  const Index stretch = ceil_div(n, kWarp);
  const auto end_of = [&](Index l) { return (l + 1) * stretch < n ? (l + 1) * stretch : n; };
  double own = 0;
  for (Index i = lane() * stretch; i < end_of(lane()); ++i)
    own += term(i);
  const Passing lanes = passing(0, kWarp, before, target, [&](Index l) {
    return __shfl_sync(kAllLanes, own, static_cast<int>(l));
  });
  return passing(lanes.at * stretch, end_of(lanes.at), lanes.before, target, term);
}

/// The first kept id whose cumulative weight passes `target`, in every thread.
AHA_DEVICE Index draw(const Weights& w, const Kept& kept, double target, const RowMemory& row,
                      const DrawMemory& m) {
  if (warp() == 0) {
    const Passing block =
        warp_passing(ceil_div(w.V, kLogitBlock), 0, target, [&](Index i) { return row.sums[i]; });
    const Index first = block.at * kLogitBlock;
    const Index count = w.V - first < kLogitBlock ? w.V - first : kLogitBlock;
    const Passing element = warp_passing(count, block.before, target, [&](Index i) {
      const float weight = w(first + i);
      return kept(weight, first + i) ? static_cast<double>(weight) : 0.0;
    });
    if (lane() == 0) m.found[0] = first + element.at;
  }
  __syncthreads();
  return m.found[0];
}

/// The smallest id among the largest logits.
AHA_DEVICE Index largest(const float* z, Index V, const RowMemory& row) {
  float top = -INFINITY;
  for (Index i = thread(); i < V; i += threads())
    top = top > z[i] ? top : z[i];
  top = block_max(top, row.reduced);
  Index first = V;
  for (Index i = thread(); i < V && first == V; i += threads())
    if (z[i] == top) first = i;
  const float smallest = -block_max(-static_cast<float>(first), row.reduced);  // V is below 2^24
  return smallest < static_cast<float>(V) ? static_cast<Index>(smallest) : 0;
}

/// What was drawn, in every thread. `uniform` in (0, 1); without one (`greedy`) the largest.
struct Draw {
  Index id;
  float logprob, entropy;
};

AHA_DEVICE Draw drawn(const float* z, Index V, float inv_temperature, const Truncation& truncation,
                      bool greedy, double uniform) {
  const RowMemory memory = row_memory(V);
  const DrawMemory drawing = draw_memory(V);
  const RowSums r = row_sums(z, V, inv_temperature, memory);
  Index id = 0;
  if (greedy) {
    id = largest(z, V, memory);
  } else {
    const Weights w{z, V, inv_temperature, r.top};
    Kept kept{0, V, 0};
    double sum = r.sum;
    if (truncation.top_k > 0 || truncation.top_p < 1.0F || truncation.min_p > 0.0F) {
      kept = truncate(truncation, w, drawing);
      sum = kept_sums(w, kept, memory);
    }
    id = draw(w, kept, uniform * sum, memory, drawing);
  }
  return {id, logprob_of(r, z[id], inv_temperature), r.entropy};
}

}  // namespace aha::cuda
