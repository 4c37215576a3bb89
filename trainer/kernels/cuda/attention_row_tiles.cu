// Attention of single rows on tensor cores, to keys and values of bf16: decoding, and with set_invariant prompts and
// training as well. A block of threads is one row and up to eight query heads of a kv head, which are the rows of
// the tiles; its warps take the key/value blocks in turn, each with a running maximum, and the warps are joined in their
// order: where a row stands in the batch and what else is in it changes no bit. q and the weights are rounded to bf16, all sums
// are f32.
//
// A product's sum has no order of its own, so that its numbers may be counted as the store has them: a word of the store is
// two neighbouring positions of a dimension (keys) or two dimensions of a position (values), and the halves of two such
// words are what a lane needs for two tiles. Lane 4 r + j has of keys the word r / 2 + r % 2 * 4 of dimensions j, j + 4, ...,
// so that its scores are those of head r with positions 2 j, 2 j + 1, 2 j + 8 and 2 j + 9.
#include "trainer/kernels/cuda/async_copy.h"
#include "trainer/kernels/cuda/attention_tiles.h"
#include "trainer/kernels/cuda/finish.h"

namespace aha::cuda {
namespace {

/// Warps of a block, and blocks that a multiprocessor is to have room for: what a lane holds grows with the head.
constexpr int row_warps(int D) {
  return D == 64 ? 8 : 4;
}
constexpr int row_blocks(int D) {
  return D == 64 ? 2 : 3;
}
constexpr int kTileHeads = 8;  ///< the other eight rows of a tile are none

/// The lower and the higher halves of two words, those of `a` below.
AHA_DEVICE std::uint32_t low_halves(std::uint32_t a, std::uint32_t b) {
  return (a & 0xffffU) | b << 16U;
}
AHA_DEVICE std::uint32_t high_halves(std::uint32_t a, std::uint32_t b) {
  return a >> 16U | (b & 0xffff0000U);
}

/// What a lane has: of head lane / 4. Exponents are of two.
template <int D>
struct RowState {
  std::uint32_t q[D / 16][2];
  float out[D / 8][4];
  float top, sum;
};

template <int D>
AHA_DEVICE void load_row_queries(const float* q, Index count, RowState<D>& s) {
  const int j = lane() % 4;
  const bool there = lane() / 4 < count;
  const float* x = q + (there ? lane() / 4 * D : 0) + j;
  AHA_UNROLL
  for (int k = 0; k < D / 16; ++k)
    for (int i = 0; i < 2; ++i)
      s.q[k][i] = there ? bf16_pair(x[16 * k + 8 * i], x[16 * k + 8 * i + 4]) : 0;
}

/// A lane's words of a block's keys [D][16].
template <int D>
AHA_DEVICE void load_keys(const Bf16* head, std::uint32_t (&words)[D / 4]) {
  const int r = lane() / 4;
  const auto* keys = reinterpret_cast<const Pair*>(head) + 8 * (lane() % 4) + r / 2 + r % 2 * 4;
  AHA_UNROLL
  for (int i = 0; i < D / 4; ++i)
    words[i] = keys[32 * i];
}

/// A lane's words of a block's values [16][D], of positions 2 j, 2 j + 8, 2 j + 1 and 2 j + 9. None behind the row's
/// `positions`, where there may be anything.
template <int D>
AHA_DEVICE void load_values(const Bf16* head, int positions, std::uint32_t (&words)[D / 16][4]) {
  const int j = lane() % 4;
  const auto* values = reinterpret_cast<const Pair*>(head) + 8 * D + j * D + lane() / 4;
  AHA_UNROLL
  for (int i = 0; i < D / 16; ++i)
    for (int p = 0; p < 4; ++p)
      words[i][p] = values[8 * i + p % 2 * 4 * D + p / 2 * (D / 2)];
  if (positions == kKvBlock) return;
  AHA_UNROLL
  for (int i = 0; i < D / 16; ++i)
    for (int p = 0; p < 4; ++p)
      if (2 * j + p % 2 * 8 + p / 2 >= positions) words[i][p] = 0;
}

/// Scaled scores of the lane's head with its four positions, in the order of the values' words.
template <int D>
AHA_DEVICE void row_scores(const RowState<D>& s, const std::uint32_t (&keys)[D / 4], int positions,
                           float (&score)[4]) {
  float even[4], odd[4];
  clear(even);
  clear(odd);
  AHA_UNROLL
  for (int k = 0; k < D / 16; ++k) {
    const std::uint32_t left[4] = {s.q[k][0], 0, s.q[k][1], 0};
    const std::uint32_t* w = keys + 4 * k;
    mma(even, left, {low_halves(w[0], w[1]), low_halves(w[2], w[3])});
    mma(odd, left, {high_halves(w[0], w[1]), high_halves(w[2], w[3])});
  }
  const float scale = scale_of(D) * kLog2E;
  score[0] = even[0] * scale;
  score[1] = even[1] * scale;
  score[2] = odd[0] * scale;
  score[3] = odd[1] * scale;
  if (positions == kKvBlock) return;
  for (int p = 0; p < 4; ++p)
    if (2 * (lane() % 4) + p % 2 * 8 + p / 2 >= positions) score[p] = -INFINITY;
}

/// Takes one key/value block in, of which `positions` are the row's.
template <int D>
AHA_DEVICE void take_block(const Bf16* head, int positions, RowState<D>& s) {
  std::uint32_t keys[D / 4], values[D / 16][4];
  load_keys<D>(head, keys);
  constexpr bool kBoth = D == 64;  // wider heads have no registers for both
  if (kBoth) load_values<D>(head, positions, values);
  float score[4];
  row_scores<D>(s, keys, positions, score);
  if (!kBoth) {
    __syncwarp();
    load_values<D>(head, positions, values);
  }
  float top = fmaxf(fmaxf(score[0], score[1]), fmaxf(score[2], score[3]));
  top = fmaxf(top, __shfl_xor_sync(kAllLanes, top, 1));
  top = fmaxf(top, __shfl_xor_sync(kAllLanes, top, 2));
  top = fmaxf(top, s.top);
  const float kept = exp2_of(s.top - top);
  for (int p = 0; p < 4; ++p)
    score[p] = exp2_of(score[p] - top);
  s.top = top;
  s.sum = fmaf(s.sum, kept, (score[0] + score[1]) + (score[2] + score[3]));
  const std::uint32_t weights[4] = {bf16_pair(score[0], score[1]), 0, bf16_pair(score[2], score[3]),
                                    0};
  AHA_UNROLL
  for (int i = 0; i < D / 16; ++i) {
    const std::uint32_t* w = values[i];
    for (int t = 0; t < 2; ++t) {
      s.out[2 * i + t][0] *= kept;
      s.out[2 * i + t][1] *= kept;
    }
    mma(s.out[2 * i], weights, {low_halves(w[0], w[1]), low_halves(w[2], w[3])});
    mma(s.out[2 * i + 1], weights, {high_halves(w[0], w[1]), high_halves(w[2], w[3])});
  }
}

/// What the warps have seen, in shared memory: [warps][heads][D + 2], the sums of values, the maximum, the sum.
template <int D>
AHA_DEVICE void put_state(const RowState<D>& s, float* to) {
  float* own = to + (warp() * kTileHeads + lane() / 4) * (D + 2);
  const int j = lane() % 4;
  AHA_UNROLL
  for (int i = 0; i < D / 8; ++i)
    for (int c = 0; c < 2; ++c)
      own[i / 2 * 16 + 4 * j + 2 * c + i % 2] = s.out[i][c];
  const float sum = row_sum(s.sum);
  if (j == 0) own[D] = s.top;
  if (j == 0) own[D + 1] = sum;
}

/// Takes in every block that the row looks at.
template <int D>
AHA_DEVICE void take_blocks(const Attention& p, const Queries& heads, RowState<D>& s) {
  const Index position = p.rows.positions[block_x()];
  const std::int32_t* table = p.rows.tables[block_x()];
  const int last = static_cast<int>(position / kKvBlock);
  const int left = static_cast<int>(position % kKvBlock) + 1;
  AHA_UNROLL
  for (int i = 0; i < D / 8; ++i)
    clear(s.out[i]);
  s.top = -INFINITY;
  s.sum = 0;
  constexpr int kStep = row_warps(D);
  for (int first = warp(); first <= last; first += kStep * kWarp) {
    const int own = first + lane() * kStep;
    const std::int32_t block = own <= last ? table[own] : 0;
    const auto head = [&](int i) {
      return kv_head_of<Bf16>(p.kv, __shfl_sync(kAllLanes, block, i), heads.kv_head);
    };
    for (int i = 0; i < kWarp && first + i * kStep <= last; ++i)
      take_block<D>(head(i), first + i * kStep < last ? kKvBlock : left, s);
  }
}

/// put(head, d, out, top, sum) takes what the warps have together; exponents are of two.
template <int D, class Put>
AHA_DEVICE void join_warps(const RowState<D>& s, Index count, float* sums, const Put& put) {
  put_state<D>(s, sums);
  __syncthreads();
  for (int i = thread(); i < static_cast<int>(count) * D; i += threads()) {
    const float* part = sums + i / D * (D + 2);
    constexpr int kStep = kTileHeads * (D + 2);
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

/// Floats in shared memory: the warps' sums; behind them, where they are computed here, queries [heads][D].
constexpr int sums_floats(int D) {
  return row_warps(D) * kTileHeads * (D + 2);
}

template <int D>
__global__ void AHA_BLOCKS(row_warps(D) * kWarp, row_blocks(D)) attend_row_tiles(Attention p) {
  const Index row = block_x();
  const Queries heads = queries_of(p.H, p.kv.Hk, kTileHeads);
  RowState<D> s;
  load_row_queries<D>(p.qkv + row * (p.H + 2 * p.kv.Hk) * D + heads.first * D, heads.count, s);
  take_blocks<D>(p, heads, s);
  join_warps<D>(s, heads.count, shared_memory<float>(),
                [&](int g, int d, float out, float top, float sum) {
                  const Index head = row * p.H + heads.first + g;
                  p.out[head * D + d] = out;
                  if (p.lse != nullptr && d == 0)
                    p.lse[head] = fmaf(top, 0.693147182F, log_of(sum));
                });
}

/// Asks for the first two key/value blocks of a warp: memory has nothing else to do while q, k and v are finished.
template <int D>
AHA_DEVICE void ask_for_first_blocks(const Attention& p, const Queries& heads) {
  constexpr int kLine = 128;
  constexpr int kLines = 4 * kKvBlock * D / kLine;
  const int last = static_cast<int>(p.rows.positions[block_x()] / kKvBlock);
  for (int b = warp(); b <= last && b < 2 * row_warps(D); b += row_warps(D)) {
    const Bf16* head = kv_head_of<Bf16>(p.kv, p.rows.tables[block_x()][b], heads.kv_head);
    for (int line = lane(); line < kLines; line += kWarp)
      ask_for(head + line * kLine / 2);
  }
}

/// The same from rows of q, k and v as their product left them. A row's key and value are read by its own blocks alone.
template <int D>
__global__ void AHA_BLOCKS(row_warps(D) * kWarp, row_blocks(D))
    attend_finished_row_tiles(FinishQkv f, Attention p, int rotary, Bf16* rows, Index ld) {
  const Index row = block_x();
  const Queries heads = queries_of(p.H, p.kv.Hk, kTileHeads);
  const int count = static_cast<int>(heads.count);
  auto* sums = shared_memory<float>();
  float* queries = sums + sums_floats(D);
  ask_for_first_blocks<D>(p, heads);
  for (int i = warp(); i < count + 2; i += row_warps(D)) {
    if (i < count) {
      finish_heads<1>(f, row, 1, static_cast<int>(heads.first) + i, rotary,
                      [&](int, int d, float x) { queries[i * D + d] = x; });
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
  RowState<D> s;
  load_row_queries<D>(queries, heads.count, s);
  take_blocks<D>(p, heads, s);
  join_warps<D>(s, heads.count, sums, [&](int g, int d, float out, float, float) {
    round_to(out, rows[row * ld + (heads.first + g) * D + d]);
  });
}

/// A block of threads a row and up to eight query heads.
template <int D>
Grid row_grid(const Attention& p, int floats) {
  const Index chunks = ceil_div(p.H / p.kv.Hk, kTileHeads);
  return {p.rows.M, p.kv.Hk * chunks, row_warps(D) * kWarp, 4 * Index{floats}};
}

template <int D>
void attend_rows(const Attention& p) {
  launch(row_grid<D>(p, sums_floats(D)), attend_row_tiles<D>, p);
}

template <int D>
void attend_finished(const FinishQkv& f, const Attention& p, Bf16* rows, Index ld) {
  launch(row_grid<D>(p, sums_floats(D) + kTileHeads * D), attend_finished_row_tiles<D>, f, p,
         rotary_of(f), rows, ld);
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
