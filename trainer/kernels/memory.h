#pragma once
#include <cstdint>

namespace aha {

/// The memory that the functions of a table work on: the program's own, or a device's. What callers hand to a
/// table, pointers inside arrays included, points into its memory; where a result is a function's return
/// value or said to be the host's, it is in the program's own.
///
/// Calls of a device's table and memory come from one thread at a time and happen in their order, but may
/// return before they have: `download` waits. An error of a device appears in a later call, as DeviceError.
struct Memory {
  bool host;  ///< the program's own: callers may read and write it directly

  /// 64-byte aligned, zero-filled. UserError when there is not so much.
  void* (*allocate)(std::int64_t bytes);
  void (*release)(void* memory);
  /// `from` is the host's and may change as soon as the call returns.
  void (*upload)(const void* from, std::int64_t bytes, void* to);
  /// `to` is the host's and is written when the call returns.
  void (*download)(const void* from, std::int64_t bytes, void* to);
};

extern const Memory kHostMemory;

}  // namespace aha
