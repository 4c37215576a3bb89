#pragma once
#include "trainer/comm/communicator.h"
#include "trainer/config/schema.h"

namespace aha {

/// With device cuda: each rank takes its GPU (cuda_ops), and opens what several of them talk by. UserError on every rank, naming
/// a rank that finds none, or two that would have one. Writes nothing. Collective.
void take_devices(Communicator& comm, const Config& config, const Placement& placement);

/// The GPUs that were taken join each other. Collective.
void join_devices(Communicator& comm, const Config& config);

}  // namespace aha
