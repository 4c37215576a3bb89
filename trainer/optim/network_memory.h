#pragma once
#include <memory>

namespace aha {

/// Keeps memory that the network's threads may still write to or read, until the process ends: it is about to,
/// with an error.
void give_to_the_network(std::shared_ptr<void> memory);

}  // namespace aha
