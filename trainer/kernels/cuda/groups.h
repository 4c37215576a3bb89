#pragma once
// Rows a group of neighbouring numbers a thread: memory gives its full rate where a lane asks for 16 bytes at a time, and a
// launch of rows and groups has no number to divide. A block is a row, or a part of it.
#include <initializer_list>
#include <type_traits>

#include "trainer/kernels/cuda/numbers.h"

namespace aha::cuda {

/// N numbers that are one access to memory, at a multiple of their size.
template <class T, int N>
struct __attribute__((may_alias, aligned(sizeof(T) * N))) Group {
  T x[N];
};

template <int N>
AHA_DEVICE Group<float, N> group_at(const float* from) {
  return *reinterpret_cast<const Group<float, N>*>(from);
}

template <int N>
AHA_DEVICE Group<float, N> group_at(const Bf16* from) {
  const Group<Bf16, N> group = *reinterpret_cast<const Group<Bf16, N>*>(from);
  Group<float, N> wide;
  for (int i = 0; i < N; ++i)
    wide.x[i] = widened(group.x[i]);
  return wide;
}

/// Floats at any place: what stands among other parameters begins where those end.
template <int N>
AHA_DEVICE Group<float, N> group_anywhere(const float* from) {
  if (reinterpret_cast<std::uintptr_t>(from) % sizeof(Group<float, N>) == 0)
    return group_at<N>(from);
  Group<float, N> group;
  for (int i = 0; i < N; ++i)
    group.x[i] = from[i];
  return group;
}

/// to[0..N) = the group, rounded to the type of `to`.
template <class T, int N>
AHA_DEVICE void put_group(const Group<float, N>& group, T* to) {
  Group<T, N> rounded;
  for (int i = 0; i < N; ++i)
    round_to(group.x[i], rounded.x[i]);
  *reinterpret_cast<Group<T, N>*>(to) = rounded;
}

/// The first column of a thread's group, in a launch of `over_groups`; block x is the row.
template <int N>
AHA_DEVICE Index group_column() {
  return N * (block_y() * threads() + thread());
}

/// A thread a group of N columns of M rows.
template <int N>
Grid over_groups(Index M, Index columns) {
  const Index groups = ceil_div(columns, N);
  const Index parts = ceil_div(groups, 256);
  return {M, parts, static_cast<int>(round_up(ceil_div(groups, parts), kWarp)), 0};
}

/// A matrix, and the numbers from row to row.
struct RowsOf {
  const void* data;
  Index ld;
};

/// Whether groups of N columns of all these rows begin at multiples of their size.
template <int N>
bool are_groups(Index columns, std::initializer_list<RowsOf> all) {
  bool groups = columns % N == 0;
  for (const RowsOf& rows : all)
    groups = groups && rows.ld % N == 0 &&
             reinterpret_cast<std::uintptr_t>(rows.data) % sizeof(Group<float, N>) == 0;
  return groups;
}

/// Calls body(number of columns of a group), a constant, on the host: N, or one where that cannot be.
template <int N, class Body>
void with_groups(bool groups, const Body& body) {
  if (groups) return body(std::integral_constant<int, N>{});
  body(std::integral_constant<int, 1>{});
}

}  // namespace aha::cuda
