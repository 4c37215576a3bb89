#pragma once
// How a block divides a product on tensor cores among its warps, and the sums that they keep.
#include "trainer/kernels/cuda/product_tiles.h"

namespace aha::cuda {

/// How a block computes C [Rows, Columns]: Groups of warps take a chunk of the sum each, and a warp of a group WarpRows x
/// WarpColumns of it. Steps of the sum come to shared memory in Stages.
template <int Rows, int Columns, int WarpRows, int WarpColumns, int Groups, int Stages,
          bool Vectors = true>
struct Shape {
  static constexpr int kRows = Rows, kColumns = Columns;
  static constexpr int kWarpRows = WarpRows, kWarpColumns = WarpColumns;
  static constexpr int kGroups = Groups, kStages = Stages;
  static constexpr bool kVectors = Vectors;  ///< see LineCopy
  static constexpr int kGroupThreads = Rows / WarpRows * (Columns / WarpColumns) * kWarp;
  static constexpr int kThreads = Groups * kGroupThreads;
  static constexpr int kStageNumbers = (Rows + Columns) * kStep;  ///< of a group
  static constexpr int kAllStages = Groups * Stages * kStageNumbers;
  static constexpr Index kBytes = 2 * kAllStages + (Groups > 1 ? 4 * Rows * Columns : 0);
  /// Of an H100's multiprocessor; an A100's may have room for one.
  static constexpr int kBlocks = Groups > 1 && Vectors ? 2 : 1;
};

/// A warp's operands for 16 numbers of the sum.
template <class S, bool AlongLeft, bool AlongRight>
struct Operands {
  using Left = LineTile<S::kRows, AlongLeft>;
  using Right = LineTile<S::kColumns, AlongRight>;
  static constexpr int kRows = S::kWarpRows / 16, kColumns = S::kWarpColumns / 8;

  /// Number k of a stage, with the lane's places in its left and right lines.
  AHA_DEVICE void load(const Bf16* stage, int own_left, int own_right, int k) {
    AHA_UNROLL
    for (int i = 0; i < kRows; ++i)
      load_matrices<!AlongLeft>(stage + Left::further(own_left, i, k), left[i]);
    AHA_UNROLL
    for (int j = 0; j < kColumns / 2; ++j)
      load_matrices<!AlongRight>(stage + Left::kNumbers + Right::further(own_right, j, k),
                                 right[j]);
  }

  std::uint32_t left[kRows][4];
  std::uint32_t right[kColumns / 2][4];  ///< of two products side by side
};

/// A warp's part of C in registers, in products [16, 8].
template <class S>
struct Sums {
  static constexpr int kRows = S::kWarpRows / 16, kColumns = S::kWarpColumns / 8;
  float c[kRows][kColumns][4];

  /// body(c, row, column of C's part) of each.
  template <class Body>
  AHA_DEVICE void each(const Body& body) {
    AHA_UNROLL
    for (int i = 0; i < kRows; ++i) {
      AHA_UNROLL
      for (int j = 0; j < kColumns; ++j)
        body(c[i][j], i, j);
    }
  }
  AHA_DEVICE void clear() {
    each([](float(&x)[4], int, int) {
      for (int k = 0; k < 4; ++k)
        x[k] = 0;
    });
  }
  template <class Both>
  AHA_DEVICE void add(const Both& both) {
    each([&](float(&x)[4], int i, int j) {
      const auto& pair = both.right[j / 2];
      mma(x, both.left[i], {pair[j % 2 * 2], pair[j % 2 * 2 + 1]});
    });
  }
};

/// Sums of chunks, added in their order. A group alone keeps them in registers.
template <class S, bool Alone = S::kGroups == 1>
struct Totals {
  AHA_DEVICE explicit Totals(float*) { total.clear(); }
  AHA_DEVICE void take(Sums<S>& sums, int) {
    sums.each([&](float(&x)[4], int i, int j) {
      for (int k = 0; k < 4; ++k)
        total.c[i][j][k] += x[k];
    });
  }
  static AHA_DEVICE bool has_all() { return true; }
  AHA_DEVICE float at(int i, int j, int k) const { return total.c[i][j][k]; }

  Sums<S> total;
};

/// Groups keep them in shared memory, and add theirs in turn, a row of products at a time.
template <class S>
struct Totals<S, false> {
  static constexpr int kRows = Sums<S>::kRows, kColumns = Sums<S>::kColumns;

  AHA_DEVICE explicit Totals(float* memory) : own(memory + thread() % S::kGroupThreads) {
    if (group() == 0)
      for (int i = 0; i < S::kRows * S::kColumns / S::kGroupThreads; ++i)
        own[i * S::kGroupThreads] = 0;
  }
  static AHA_DEVICE int group() { return thread() / S::kGroupThreads; }
  AHA_DEVICE float& at(int i, int j, int k) const {
    return own[((i * kColumns + j) * 4 + k) * S::kGroupThreads];
  }
  /// `chunks`: of this round and later ones.
  AHA_DEVICE void take(Sums<S>& sums, int chunks) {
    const int turns = (chunks < S::kGroups ? chunks : S::kGroups) + kRows - 1;
    for (int turn = 0; turn < turns; ++turn) {
      const int row = turn - group();
      if (group() < chunks)
        sums.each([&](float(&x)[4], int i, int j) {
          if (i != row) return;
          for (int k = 0; k < 4; ++k)
            at(i, j, k) += x[k];
        });
      __syncthreads();
    }
  }
  static AHA_DEVICE bool has_all() { return group() == 0; }

  float* own;
};

}  // namespace aha::cuda
