// NCCL with the one GPU that there is: it is found, joins by an id, and takes groups in the order of the table's calls.
#include <chrono>
#include <functional>
#include <thread>

#include "tests/support/catch.h"
#include "tests/trainer/kernels/cuda/gpu.h"
#include "trainer/core/error.h"
#include "trainer/kernels/device_ops.h"

using namespace aha_test;

namespace {

/// False: not within half a minute.
bool soon(const std::function<bool()>& is) {
  for (int i = 0; i < 3000; ++i) {
    if (is()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace

TEST_CASE("gpu: a rank alone joins by NCCL, and its sums and copies are its own numbers", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  const aha::DeviceNetwork& network = *gpu->device->network;
  try {
    network.open();
  } catch (const aha::UserError& error) {
    WARN("left out, as one GPU needs no NCCL: " << error.what());
    return;
  }
  aha::DeviceNetworkId id{};
  network.make_id(&id);
  network.join(&id, 0, 1);
  REQUIRE(soon([&] { return network.ready(); }));
  Device d(*gpu);
  auto* floats = d.put(Floats{1.5F, -2.0F, 3.25F});
  auto* integers = d.put(Ints{std::int64_t{1} << 60, -7});
  const aha::DevicePart parts[] = {{floats, 2, 0}, {floats + 2, 1, 0}};
  const aha::DevicePart whole[] = {{integers, 2, 0}};
  for (const bool sum : {true, false}) {
    const aha::DeviceGroup first{sum, aha::DeviceElement::Float, parts, 2};
    const aha::DeviceGroup second{sum, aha::DeviceElement::Int64, whole, 1};
    const auto a = network.begin(&first);
    REQUIRE(soon([&] { return network.ready(); }));
    const auto b = network.begin(&second);
    CHECK(b > a);
    REQUIRE(soon([&] { return network.done(a) && network.done(b); }));
  }
  CHECK(same_bits(d.get(floats, 3), Floats{1.5F, -2.0F, 3.25F}));
  CHECK(d.get(integers, std::size_t{2}) == Ints{std::int64_t{1} << 60, -7});
}
