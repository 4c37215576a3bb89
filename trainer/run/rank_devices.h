#pragma once
#include <optional>

#include "trainer/comm/communicator.h"
#include "trainer/config/schema.h"
#include "trainer/run/device_plan.h"

namespace aha {

/// With device cuda: each rank takes its GPU (cuda_ops), and opens what several of them talk by. UserError on every rank, naming
/// a rank that finds none, or two that would have one. Returns the one with the least free memory, named with its rank, where there
/// are several. Writes nothing. Collective.
std::optional<DeviceRoom> take_devices(Communicator& comm, const Config& config,
                                       const Placement& placement);

/// The GPUs that were taken join each other. Collective.
void join_devices(Communicator& comm, const Config& config);

}  // namespace aha
