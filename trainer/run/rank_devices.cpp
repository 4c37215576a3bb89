#include "trainer/run/rank_devices.h"

#include <fmt/format.h>

#include <map>

#include "trainer/comm/rendezvous.h"
#include "trainer/core/bytes.h"
#include "trainer/core/error.h"
#include "trainer/kernels/device_ops.h"
#include "trainer/run/policy.h"

namespace aha {
namespace {

bool several_on_gpus(const Communicator& comm, const Config& config) {
  return config.device == "cuda" && comm.size() > 1;
}

/// What a rank tells the others of its GPU.
struct TakenDevice {
  std::string host, machine, address;
  std::string problem;  ///< empty: none
  DeviceRoom room = {};

  std::string message() const {
    ByteWriter out;
    for (const auto* text : {&host, &machine, &address, &problem, &room.name})
      out.add(*text);
    for (const auto bytes : {room.free, room.total, room.held_before})
      out.add(bytes);
    return out.take();
  }
  static TakenDevice from_message(const std::string& bytes) {
    ByteReader in(bytes);
    TakenDevice taken;
    for (auto* text :
         {&taken.host, &taken.machine, &taken.address, &taken.problem, &taken.room.name})
      *text = in.text();
    for (auto* number : {&taken.room.free, &taken.room.total, &taken.room.held_before})
      *number = in.get<std::int64_t>();
    return taken;
  }
};

TakenDevice take(const Config& config, const Placement& placement) {
  TakenDevice taken{host_name(), machine_id(), {}, {}, {}};
  try {
    const Ops& ops = device_ops(config.device, {placement.local_rank, placement.local_world_size});
    const DeviceState state = ops.device->state();
    taken.address = state.address;
    taken.room = {state.name, state.free, state.total, state.held_before};
    ops.device->network->open();
  } catch (const UserError& error) {
    taken.problem = error.what();
  } catch (const DeviceError& error) {  // as of a GPU that is another program's alone
    taken.problem = error.what();
  }
  return taken;
}

}  // namespace

std::optional<DeviceRoom> take_devices(Communicator& comm, const Config& config,
                                       const Placement& placement) {
  if (!several_on_gpus(comm, config)) return std::nullopt;
  const auto all = comm.all_gather(take(config, placement).message(), "take_devices");
  std::map<std::string, std::size_t> ranks;
  std::optional<DeviceRoom> least;
  for (std::size_t r = 0; r < all.size(); ++r) {
    const auto taken = TakenDevice::from_message(all[r]);
    if (!taken.problem.empty()) fail("rank {} on {}: {}", r, taken.host, taken.problem);
    const auto [other, is_new] = ranks.emplace(taken.machine + ' ' + taken.address, r);
    if (!is_new)
      fail(
          "device: ranks {} and {} on {} would share the GPU {}; start a rank a GPU: fewer "
          "(--nproc), or with each its own visible (srun --gpus-per-task=1, CUDA_VISIBLE_DEVICES)",
          other->second, r, taken.host, taken.address);
    if (least && taken.room.free >= least->free) continue;
    least = taken.room;
    least->name = fmt::format("{} of rank {} on {}", taken.room.name, r, taken.host);
  }
  return least;
}

void join_devices(Communicator& comm, const Config& config) {
  if (several_on_gpus(comm, config)) comm.join_devices(*device_ops(config.device).device->network);
}

}  // namespace aha
