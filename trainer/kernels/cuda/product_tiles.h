#pragma once
// What a block of a product on tensor cores keeps in shared memory: lines of both operands, kStep numbers of the sum at a
// time, and where a lane finds its part of them.
#include "trainer/kernels/cuda/async_copy.h"
#include "trainer/kernels/cuda/mma.h"

namespace aha::cuda {

constexpr int kStep = 32;  ///< of the sum, in shared memory at a time

/// Rows of C's left operand, or columns of its right one: `lines` of them, each of `length` numbers of the sum.
struct Lines {
  const Bf16* data;
  int ld;
  int lines, length;
};

/// Count lines in shared memory, as in memory: [line][kStep] (Along the sum) or [kStep][line]. The eights of a row stand in
/// another order in every row, so that those of eight rows at one place lie in different banks.
template <int Count, bool Along>
struct LineTile {
  static constexpr int kNumbers = Count * kStep;
  static constexpr int kRow = Along ? kStep : Count;
  static_assert(Along || Count >= 64, "a row has eight eights to exchange");

  /// Where row `row` has the eight from `column` on, a multiple of eight.
  static AHA_DEVICE int place(int row, int column) {
    const int turn = Along ? row / 2 % 4 : row % 8;
    return row * kRow + (column ^ 8 * turn);
  }
  /// Where the lane's row of a tile [16 lines, 16] begins for load_matrices: `lines` first, or the numbers of the sum.
  static AHA_DEVICE int own(int first_line, bool lines) {
    const int near = lines == Along ? lane() % 16 : lane() % 8 + lane() / 16 * 8;
    const int far = lines == Along ? lane() / 16 * 8 : lane() / 8 % 2 * 8;
    return Along ? place(first_line + near, far) : place(near, first_line + far);
  }
  /// The same 16 i lines and 16 k numbers further on, of a first line that is a multiple of more: where rows are exchanged,
  /// a place is made of bits, of which these are 0.
  static AHA_DEVICE int further(int own, int i, int k) {
    return Along ? (own ^ 16 * k) + 16 * i * kRow : (own ^ 16 * i) + 16 * k * kRow;
  }
};

/// What one of Threads neighbouring threads copies of Count lines. Vectors: eight numbers from one whose place is a multiple
/// of eight can be read as one.
template <int Count, bool Along, int Threads, bool Vectors>
class LineCopy {
 public:
  AHA_DEVICE LineCopy(const Lines& x, int first_line)
      : row_(thread() % Threads / kRowEights),
        column_(thread() % kRowEights * 8),
        lines_(x.lines - first_line),
        length_(x.length),
        ld_(x.ld),
        own_(x.data + (Along ? Index{first_line + row_} * ld_ + column_
                             : Index{row_} * ld_ + first_line + column_)) {}

  /// Asks for kStep numbers from `at` on, zeros past the ends.
  AHA_DEVICE void begin(int at, Bf16* tile) const {
    const int rows = (Along ? lines_ : length_ - at) - row_;
    const int left = (Along ? length_ - at : lines_) - column_;
    const int count = left < 0 ? 0 : left < 8 ? left : 8;
    const Bf16* from = own_ + (Along ? Index{at} : Index{at} * ld_);
    Bf16* to = tile + Tile::place(row_, column_);
    AHA_UNROLL
    for (int i = 0; i < kEights; ++i, from += Index{kRows} * ld_)
      copy(from, i * kRows < rows ? count : 0, to + i * kRows * Tile::kRow);
  }

 private:
  using Tile = LineTile<Count, Along>;
  static constexpr int kRowEights = Tile::kRow / 8;
  static constexpr int kEights = Tile::kNumbers / 8 / Threads;
  static constexpr int kRows = Threads / kRowEights;  ///< from one of the thread's to the next
  static_assert(kRows % 8 == 0, "they stand in one order");

  static AHA_DEVICE void copy(const Bf16* from, int count, Bf16* to) {
    if constexpr (Vectors) {
      copy_later<16>(from, 2 * count, to);
    } else {
      for (int i = 0; i < 8; ++i)
        to[i] = i < count ? from[i] : Bf16{0};
    }
  }

  int row_, column_;
  int lines_, length_;
  int ld_;
  const Bf16* own_;
};

}  // namespace aha::cuda
