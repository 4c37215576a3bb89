#pragma once
// How a block divides a product on tensor cores among its warps, and the sums that they keep.
#include "trainer/kernels/cuda/product_tiles.h"

namespace aha::cuda {

/// How a block computes C [Rows, Columns]: Groups of warps take a chunk of the sum each, and a warp of a group WarpRows x
/// WarpColumns of it. Steps of the sum come to shared memory in Stages.
template <int Rows, int Columns, int WarpRows, int WarpColumns, int Groups, int Stages>
struct Shape {
  static constexpr int kRows = Rows, kColumns = Columns;
  static constexpr int kWarpRows = WarpRows, kWarpColumns = WarpColumns;
  static constexpr int kGroups = Groups, kStages = Stages;
  static constexpr int kGroupThreads = Rows / WarpRows * (Columns / WarpColumns) * kWarp;
  static constexpr int kThreads = Groups * kGroupThreads;
  static constexpr int kStageNumbers = (Rows + Columns) * kStep;  ///< of a group
  static constexpr int kAllStages = Groups * Stages * kStageNumbers;
  static constexpr Index kBytes = 2 * kAllStages + (Groups > 1 ? 4 * Rows * Columns : 0);
  static constexpr int kBlocks = Groups > 1 ? 2 : 1;  ///< of a multiprocessor
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
  /// Adds a stage: the lane's places in left and right lines.
  template <class Left, class Right, bool AlongLeft, bool AlongRight>
  AHA_DEVICE void add(const Bf16* left, int own_left, const Bf16* right, int own_right) {
    AHA_UNROLL
    for (int k = 0; k < kStep / 16; ++k) {
      std::uint32_t x[kRows][4];
      std::uint32_t y[kColumns / 2][4];
      AHA_UNROLL
      for (int i = 0; i < kRows; ++i)
        load_matrices<!AlongLeft>(left + Left::further(own_left, i, k), x[i]);
      AHA_UNROLL
      for (int j = 0; j < kColumns / 2; ++j)
        load_matrices<!AlongRight>(right + Right::further(own_right, j, k), y[j]);
      each([&](float(&sum)[4], int i, int j) {
        mma(sum, x[i], {y[j / 2][j % 2 * 2], y[j / 2][j % 2 * 2 + 1]});
      });
    }
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
  template <class Body>
  AHA_DEVICE void each(const Body& body) {
    total.each(body);
  }
  Sums<S> total;
};

/// Groups keep them in shared memory, and add theirs in turn.
template <class S>
struct Totals<S, false> {
  static constexpr int kColumns = Sums<S>::kColumns;

  AHA_DEVICE explicit Totals(float* memory) : own(memory + thread() % S::kGroupThreads) {
    if (group() == 0)
      for (int i = 0; i < S::kRows * S::kColumns / S::kGroupThreads; ++i)
        own[i * S::kGroupThreads] = 0;
  }
  static AHA_DEVICE int group() { return thread() / S::kGroupThreads; }
  AHA_DEVICE float& at(int i, int j, int k) {
    return own[((i * kColumns + j) * 4 + k) * S::kGroupThreads];
  }
  /// `chunks`: of this round.
  AHA_DEVICE void take(Sums<S>& sums, int chunks) {
    for (int turn = 0; turn < S::kGroups && turn < chunks; ++turn) {
      if (turn == group())
        sums.each([&](float(&x)[4], int i, int j) {
          for (int k = 0; k < 4; ++k)
            at(i, j, k) += x[k];
        });
      __syncthreads();
    }
  }
  template <class Body>
  AHA_DEVICE void each(const Body& body) {
    if (group() != 0) return;
    for (int i = 0; i < Sums<S>::kRows; ++i)
      for (int j = 0; j < kColumns; ++j) {
        float x[4];
        for (int k = 0; k < 4; ++k)
          x[k] = at(i, j, k);
        body(x, i, j);
      }
  }
  float* own;
};

}  // namespace aha::cuda
