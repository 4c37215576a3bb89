// Attention of single rows on tensor cores, to keys and values of bf16: decoding, and with set_invariant prompts and
// training as well. A block of threads is one row and up to eight query heads of a kv head, which are the columns of
// the products; its warps take the key/value blocks in turn, each with a running maximum, and the warps are joined in their
// order: where a row stands in the batch and what else is in it changes no bit. q and the weights are rounded to bf16, all sums
// are f32.
//
// A product's sum has no order of its own, and neither have the rows of its result, so that both may be counted as the store
// has them: a word of the store is two neighbouring positions of a dimension (keys) or two dimensions of a position (values),
// and the halves of two such words are what a lane needs for two rows of a tile. Lane 4 r + j has of keys the word r of
// dimensions j, j + 4, ..., so that its scores are those of positions 2 r and 2 r + 1 with heads 2 j and 2 j + 1; and of values
// dimensions 8 r to 8 r + 7 of positions 4 j to 4 j + 3, so that its sums are those of these dimensions and the same heads.
#include "trainer/kernels/cuda/attention_tiles.h"
#include "trainer/kernels/cuda/finish.h"

namespace aha::cuda {
namespace {

/// Warps of a block, and blocks that a multiprocessor is to have room for: what a lane holds grows with the head.
constexpr int row_warps(int D) {
  return D == 64 ? 10 : 4;
}
constexpr int row_blocks(int D) {
  return D == 64 ? 2 : 3;
}
constexpr int kTileHeads = 8;

/// The lower and the higher halves of two words, those of `a` below.
AHA_DEVICE std::uint32_t low_halves(std::uint32_t a, std::uint32_t b) {
  return (a & 0xffffU) | b << 16U;
}
AHA_DEVICE std::uint32_t high_halves(std::uint32_t a, std::uint32_t b) {
  return a >> 16U | (b & 0xffff0000U);
}
/// The lane's part of a tile whose rows r are the lower halves of its words, and rows r + 8 the higher ones; a word a column.
AHA_DEVICE void left_of_words(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d,
                              std::uint32_t (&to)[4]) {
  to[0] = low_halves(a, b);
  to[1] = high_halves(a, b);
  to[2] = low_halves(c, d);
  to[3] = high_halves(c, d);
}

/// Queries in shared memory as lanes take them: [D / 16][lane], two words of head lane / 4 each. Those of no head are nonsense,
/// and so are the columns that come of them.
struct __attribute__((may_alias, aligned(8))) QueryWords {
  std::uint32_t pair[2];
};
AHA_DEVICE void put_query(float x, int head, int d, Bf16* queries) {
  round_to(x, queries[4 * (d / 16 * kWarp + 4 * head + d % 4) + d % 16 / 4]);
}
constexpr int query_bytes(int D) {
  return 2 * kTileHeads * D;
}

/// What a warp has seen, of which a lane has dimensions 64 u + 8 r to 64 u + 8 r + 7 of heads 2 j and 2 j + 1: out[4 u + t] is
/// {dimension 2 t: both heads, dimension 2 t + 1: both}. Exponents are of two. Sums are of the lane's positions alone.
template <int D>
struct RowState {
  float out[D / 16][4];
  float top[2], sum[2];
};

/// A warp's way through every row_warps(D)-th key/value block that a row looks at. Of the block that it has come to a lane
/// holds its part.
template <int D>
class Passing {
 public:
  AHA_DEVICE Passing(const Attention& p, Index row, Index kv_head)
      : p_(p), row_(row), head_(kv_head_of<Bf16>(p.kv, 0, kv_head)) {
    const std::int32_t position = p.rows.positions[row];
    last_ = static_cast<int>(position / kKvBlock);
    left_ = static_cast<int>(position % kKvBlock) + 1;
    look_up(warp());
  }

  /// Whether it begins with a block that has no position of the row itself.
  AHA_DEVICE bool begins_before() const { return warp() < last_; }

  AHA_DEVICE void begin() {
    if (first_ > last_) return;
    load_keys(0);
    load_values(0);
  }

  /// Takes in all from the block on that begin() has loaded.
  AHA_DEVICE void take(const Bf16* queries, RowState<D>& s) {
    AHA_UNROLL
    for (int i = 0; i < D / 16; ++i)
      clear(s.out[i]);
    for (int h = 0; h < 2; ++h) {
      s.top[h] = -INFINITY;
      s.sum[h] = 0;
    }
    while (first_ <= last_) {
      for (int i = 0;; ++i) {
        const bool more = i + 1 < kWarp && block(i + 1) <= last_;
        float score[4];
        scores(queries, positions(i), score);
        if (more) load_keys(i + 1);  // while this block's values are weighed
        take_values(score, s);
        if (!more) break;
        load_values(i + 1);
      }
      look_up(block(kWarp));
      begin();
    }
  }

 private:
  static constexpr int kStep = row_warps(D);

  /// Number i from the first that the table was read for.
  AHA_DEVICE int block(int i) const { return first_ + i * kStep; }
  AHA_DEVICE int positions(int i) const { return block(i) < last_ ? kKvBlock : left_; }
  AHA_DEVICE const Bf16* head(int i) const {
    const int size = static_cast<int>(p_.kv.Hk * KvStore::head_size(D));
    return head_ + Index{__shfl_sync(kAllLanes, entry_, i)} * size;
  }

  AHA_DEVICE void look_up(int first) {
    first_ = first;
    const int own = block(lane());
    entry_ = own <= last_ ? p_.rows.tables[row_][own] : 0;
  }

  /// Keys [D][16].
  AHA_DEVICE void load_keys(int i) {
    const auto* from = reinterpret_cast<const Pair*>(head(i)) + 8 * (lane() % 4) + lane() / 4;
    AHA_UNROLL
    for (int k = 0; k < D / 4; ++k)
      keys_[k] = from[32 * k];
  }

  /// Values [16][D]. None behind the row's positions, where there may be anything.
  AHA_DEVICE void load_values(int i) {
    const int first = 4 * (lane() % 4);
    const auto* from =
        reinterpret_cast<const Eight*>(head(i) + (kKvBlock + first) * D) + lane() / 4;
    const int there = positions(i) - first;
    AHA_UNROLL
    for (int p = 0; p < 4; ++p)
      for (int u = 0; u < D / 64; ++u)
        values_[p][u] = p < there ? from[p * (D / 8) + 8 * u] : Eight{};
  }

  /// Scaled scores {position 2 r: heads 2 j and 2 j + 1, position 2 r + 1: both}.
  AHA_DEVICE void scores(const Bf16* queries, int positions, float (&score)[4]) const {
    const auto* q = reinterpret_cast<const QueryWords*>(queries) + lane();
    clear(score);
    AHA_UNROLL
    for (int k = 0; k < D / 16; ++k) {
      std::uint32_t left[4];
      const std::uint32_t* w = keys_ + 4 * k;
      left_of_words(w[0], w[1], w[2], w[3], left);
      mma(score, left, q[k * kWarp].pair);
    }
    for (int i = 0; i < 4; ++i)
      score[i] =
          2 * (lane() / 4) + i / 2 < positions ? score[i] * (scale_of(D) * kLog2E) : -INFINITY;
  }

  AHA_DEVICE void take_values(float (&score)[4], RowState<D>& s) const {
    float kept[2];
    for (int h = 0; h < 2; ++h) {
      float top = fmaxf(score[h], score[2 + h]);
      for (int step = 4; step < kWarp; step *= 2)
        top = fmaxf(top, __shfl_xor_sync(kAllLanes, top, step));
      top = fmaxf(top, s.top[h]);
      kept[h] = exp2_of(s.top[h] - top);
      s.top[h] = top;
      score[h] = exp2_of(score[h] - top);
      score[2 + h] = exp2_of(score[2 + h] - top);
      s.sum[h] = fmaf(s.sum[h], kept[h], score[h] + score[2 + h]);
    }
    // of head lane / 4: positions 4 j and 4 j + 2, then 4 j + 1 and 4 j + 3
    const std::uint32_t weights[2] = {transposed(bf16_pair(score[0], score[1])),
                                      transposed(bf16_pair(score[2], score[3]))};
    AHA_UNROLL
    for (int i = 0; i < D / 16; ++i) {
      const auto word = [&](int p) { return values_[p][i / 4].pair[i % 4]; };
      std::uint32_t left[4];
      left_of_words(word(0), word(2), word(1), word(3), left);
      for (int c = 0; c < 4; ++c)
        s.out[i][c] *= kept[c % 2];
      mma(s.out[i], left, weights);
    }
  }

  const Attention& p_;
  Index row_;
  const Bf16* head_;  ///< the kv head of the store's first block
  int last_, left_;   ///< the row's last block, and its positions there
  int first_ = 0;
  std::int32_t entry_ = 0;  ///< block(lane) in the store
  std::uint32_t keys_[D / 4];
  Eight values_[4][D / 64];
};

/// Floats of a head of a warp in shared memory: its sums of values, its maximum, its sum, and two for the alignment.
constexpr int state_floats(int D) {
  return D + 4;
}

/// What the warps have seen, in shared memory [warps][heads][state_floats].
template <int D>
AHA_DEVICE void put_state(const RowState<D>& s, float* to) {
  const int r = lane() / 4;
  for (int h = 0; h < 2; ++h) {
    float* own = to + (warp() * kTileHeads + 2 * (lane() % 4) + h) * state_floats(D);
    AHA_UNROLL
    for (int i = 0; i < D / 16; ++i)
      put_two(own + i / 4 * 64 + 8 * r + i % 4 * 2, s.out[i][h], s.out[i][2 + h]);
    float sum = s.sum[h];
    for (int step = 4; step < kWarp; step *= 2)
      sum += __shfl_xor_sync(kAllLanes, sum, step);
    if (r == 0) put_two(own + D, s.top[h], sum);
  }
}

/// put(head, d, out, top, sum) takes what the warps have together; exponents are of two.
template <int D, class Put>
AHA_DEVICE void join_warps(const RowState<D>& s, Index count, float* sums, const Put& put) {
  put_state<D>(s, sums);
  __syncthreads();
  for (int i = thread(); i < static_cast<int>(count) * D; i += threads()) {
    const float* part = sums + i / D * state_floats(D);
    constexpr int kStep = kTileHeads * state_floats(D);
    float top = part[D];
    for (int w = 1; w < row_warps(D); ++w)
      top = fmaxf(top, part[w * kStep + D]);
    float sum = 0;
    float out = 0;
    for (int w = 0; w < row_warps(D); ++w, part += kStep) {
      const float share = exp2_of(part[D] - top);
      sum = fmaf(part[D + 1], share, sum);
      out = fmaf(part[i % D], share, out);
    }
    put(i / D, i % D, out / sum, top, sum);
  }
}

/// Floats in shared memory: the warps' sums. Behind them are the queries.
constexpr int sums_floats(int D) {
  return row_warps(D) * kTileHeads * state_floats(D);
}

template <int D>
__global__ void AHA_BLOCKS(row_warps(D) * kWarp, row_blocks(D)) attend_row_tiles(Attention p) {
  const Index row = block_x();
  const Queries heads = queries_of(p.H, p.kv.Hk, kTileHeads);
  Passing<D> passing(p, row, heads.kv_head);
  passing.begin();
  auto* sums = shared_memory<float>();
  auto* queries = reinterpret_cast<Bf16*>(sums + sums_floats(D));
  const float* q = p.qkv + row * (p.H + 2 * p.kv.Hk) * D + heads.first * D;
  for (int i = thread(); i < static_cast<int>(heads.count) * D; i += threads())
    put_query(q[i], i / D, i % D, queries);
  __syncthreads();
  RowState<D> s;
  passing.take(queries, s);
  join_warps<D>(s, heads.count, sums, [&](int g, int d, float out, float top, float sum) {
    const Index head = row * p.H + heads.first + g;
    p.out[head * D + d] = out;
    if (p.lse != nullptr && d == 0) p.lse[head] = fmaf(top, 0.693147182F, log_of(sum));
  });
}

/// The same from rows of q, k and v as their product left them. A row's key and value are read by its own blocks alone. Keys and
/// values of the positions before come while q, k and v are finished.
template <int D>
__global__ void AHA_BLOCKS(row_warps(D) * kWarp, row_blocks(D))
    attend_finished_row_tiles(FinishQkv f, Attention p, int rotary, Bf16* rows, Index ld) {
  const Index row = block_x();
  const Queries heads = queries_of(p.H, p.kv.Hk, kTileHeads);
  const int count = static_cast<int>(heads.count);
  auto* sums = shared_memory<float>();
  auto* queries = reinterpret_cast<Bf16*>(sums + sums_floats(D));
  Passing<D> passing(p, row, heads.kv_head);
  if (passing.begins_before()) passing.begin();
  for (int i = warp(); i < count + 2; i += row_warps(D)) {
    if (i < count) {
      finish_heads<1>(f, row, 1, static_cast<int>(heads.first) + i, rotary,
                      [&](int, int d, float x) { put_query(x, i, d, queries); });
      continue;
    }
    const bool value = i > count;
    const KvPlace place = place_of(f, row, static_cast<int>(heads.kv_head), value);
    const int h = static_cast<int>(p.H + heads.kv_head + (value ? p.kv.Hk : 0));
    finish_heads<1>(f, row, 1, h, rotary, [&](int, int d, float x) {
      put_kv_element(f.kv, place.first + d * place.step, x);
    });
  }
  __syncthreads();
  if (!passing.begins_before()) passing.begin();
  RowState<D> s;
  passing.take(queries, s);
  join_warps<D>(s, heads.count, sums, [&](int g, int d, float out, float, float) {
    round_to(out, rows[row * ld + (heads.first + g) * D + d]);
  });
}

/// A block of threads a row and up to eight query heads.
template <int D>
Grid row_grid(const Attention& p) {
  const Index chunks = ceil_div(p.H / p.kv.Hk, kTileHeads);
  return {p.rows.M, p.kv.Hk * chunks, row_warps(D) * kWarp,
          Index{4} * sums_floats(D) + query_bytes(D)};
}

template <int D>
void attend_rows(const Attention& p) {
  launch(row_grid<D>(p), attend_row_tiles<D>, p);
}

template <int D>
void attend_finished(const FinishQkv& f, const Attention& p, Bf16* rows, Index ld) {
  launch(row_grid<D>(p), attend_finished_row_tiles<D>, f, p, rotary_of(f), rows, ld);
}

}  // namespace

bool attention_row_tiles(const Attention& p) {
  if (!on_tensor_cores(p.kv)) return false;
  p.kv.D == 64 ? attend_rows<64>(p) : attend_rows<128>(p);
  return true;
}

void attend_finished_rows(const FinishQkv& finish, const Attention& p, Bf16* rows, Index ld) {
  p.kv.D == 64 ? attend_finished<64>(finish, p, rows, ld)
               : attend_finished<128>(finish, p, rows, ld);
}

}  // namespace aha::cuda
