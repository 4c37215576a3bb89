#pragma once
// How the devices of a job's ranks move their memory to each other: what a device's table offers (kernels/device_ops.h) and
// trainer/comm, which knows no kernels, calls.
#include <cstdint>

namespace aha {

/// What rank 0's device makes, and all join by.
struct DeviceNetworkId {
  char bytes[128];
};

enum class DeviceElement : std::int32_t {
  Float,
  Int64,
  Half,  ///< 16 bits that nobody looks at: not to be summed
};

/// Elements that lie in the device's memory of every rank, not at the same address.
struct DevicePart {
  void* memory;
  std::int64_t count;
  int root;
};

/// Collectives that are begun as one.
struct DeviceGroup {
  /// True: a part of the root becomes the sum over ranks, and is undefined on the others. False: the root's goes to all.
  bool sum;
  DeviceElement element;
  const DevicePart* parts;
  int num_parts;
};

/// All ranks call `begin` with the same groups in the same order. Nothing here waits for another rank: who calls asks
/// again. What a device or the network reports by then is thrown as the table's other errors are.
struct DeviceNetwork {
  /// UserError when what it needs is not installed here. Before all else.
  void (*open)();
  void (*make_id)(DeviceNetworkId* id);
  /// Begins to join; `ready` says when it has. Each rank has a device of its own.
  void (*join)(const DeviceNetworkId* id, int rank, int ranks);
  /// Whether what was begun last is in the device's hands, so that more can be begun.
  bool (*ready)();
  /// Runs beside the table's other calls, after all of them that were made before. Returns its number. `parts` is read at once.
  std::int64_t (*begin)(const DeviceGroup* group);
  /// Whether a group is complete: calls of the table that are made from then on may use its memory.
  bool (*done)(std::int64_t number);
  /// Ends what is under way, whatever the other ranks do; nothing can be begun any more.
  void (*abandon)();
};

}  // namespace aha
