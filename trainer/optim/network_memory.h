#pragma once
#include <memory>

#include "trainer/comm/communicator.h"
#include "trainer/kernels/ops.h"

namespace aha {

/// Whose memory a table's buffers are in.
inline Side side_of(const Ops& ops) {
  return ops.memory->host ? Side::Host : Side::Device;
}

/// Keeps memory that the network's threads may still write to or read, until the process ends: it is about to,
/// with an error.
void give_to_the_network(std::shared_ptr<void> memory);

}  // namespace aha
