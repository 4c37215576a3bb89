#pragma once
// What attention and its keys and values are given. See tasks.h for the letters.
#include "trainer/kernels/tasks.h"

namespace aha {

/// Key/value storage of one layer: blocks of 16 positions. A block holds for each kv head
/// K transposed [D][16] and then V [16][D]. Position p of a sequence whose block table is
/// `table` lives in block table[p / 16], lane p % 16. A sequence may share leading full blocks with others.
struct KvStore {
  void* data;
  Index Hk, D;
  /// F32; or BF16, which a device alone has: what is stored is rounded, and attention reads it exactly.
  FloatType type = FloatType::F32;

  /// Elements of a head in a block, and of a block.
  static constexpr Index head_size(Index D) { return kKvBlock * 2 * D; }
  Index block_size() const { return Hk * head_size(D); }
  float* floats() const { return static_cast<float*>(data); }  ///< of type F32
};

/// Which positions the rows are, and where their sequence's blocks lie.
struct KvRows {
  const std::int32_t* positions;      ///< [M]
  const std::int32_t* const* tables;  ///< [M] block table of the row's sequence
  Index M;
};

/// What follows the product of q, k and v: the bias is added, HeadNorm and Rope in place, then k and v are stored.
struct FinishQkv {
  float* qkv;         ///< [M, (H + 2 Hk) D]
  const float* bias;  ///< [(H + 2 Hk) D]; null: none
  const float* norm;  ///< [2, D] weights of HeadNorm; null: none
  float* raw;         ///< [M, (H + Hk) D] and
  float* inv_rms;     ///< [M, H + Hk] as in HeadNorm
  float eps;
  const float* cos;  ///< [max position, R/2], R as in Rope
  const float* sin;
  Index rotary;
  KvRows rows;
  KvStore kv;
  Index H;
};

/// The widest head that the tables of devices have attention for.
constexpr Index kMaxHeadWidth = 128;

/// Copies lanes [0, lanes) of block `from` to block `to` (all heads): the partly filled last block of a
/// prompt is given to each of its completions. In the backward pass gradients are added the other way.
/// The copies of one block stand together.
struct KvCopy {
  std::int32_t from, to, lanes;
};

/// softmax(q k^T / sqrt(D)) v over positions 0..p of each row at position p; query head h reads kv head
/// h / (H / Hk).
struct Attention {
  const float* qkv;  ///< [M, (H + 2 Hk) D], q rotated
  KvStore kv;
  KvRows rows;
  float* out;  ///< [M, H D]
  float* lse;  ///< [M, H] log sum exp of the scaled scores; may be null when no backward follows
  Index H;
  /// Rows of a sequence are neighbours: prompts and training, not decoding. A device whose store is BF16 rounds q and the
  /// softmax as well, of heads of 64 and 128 whatever this says.
  bool together = false;
};

/// Neighbouring key/value blocks that a part of the backward pass of attention has at most.
constexpr Index kPartBlocks = 4;

/// Some of the rows of one sequence that attend to neighbouring key/value blocks: work for a device. Cut by cut_parts.
struct KvPart {
  std::int64_t index;   ///< of the first block in the rows' table: its first position is 16 * index
  std::int64_t blocks;  ///< at most kPartBlocks
  std::int64_t first_row;  ///< all rows of the part are at that position or after it
  std::int64_t end_row;
};

/// What a block's gradients are the sum of, in this order: entries [first_sum, end_sum) of a list that has
/// kPartBlocks * part + (which of its blocks).
struct KvPartRange {
  std::int64_t block;  ///< in the store
  std::int64_t first_sum;
  std::int64_t end_sum;
};

/// Rows are cut into `sections`: ranges of rows whose blocks no other section touches (a group), so that
/// (section, kv head) pairs are independent work. dk and dv go to `dkv` (same layout as KvStore), zeroed by the caller.
struct AttentionBackward {
  const float* qkv;   ///< [M, (H + 2 Hk) D], q rotated
  const float* out;   ///< [M, H D]
  const float* dout;  ///< [M, H D]
  const float* lse;   ///< [M, H]
  KvStore kv;
  KvStore dkv;  ///< added to
  KvRows rows;
  const Index* section_starts;  ///< [num_sections + 1] into rows
  Index num_sections;
  float* dqkv;  ///< [M, (H + 2 Hk) D]: the q part is written
  Index H;
  // read by the tables of devices, which do not read the sections
  const KvPart* parts = nullptr;
  Index num_parts = 0;
  const std::int64_t* part_sums = nullptr;   ///< what the ranges are of
  const KvPartRange* part_ranges = nullptr;  ///< one a block that any row attends to
  Index num_part_ranges = 0;
};

}  // namespace aha
