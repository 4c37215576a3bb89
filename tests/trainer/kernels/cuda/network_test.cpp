// The pretended device's network: what it promises to tests of jobs.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>

#include "tests/support/catch.h"
#include "tests/trainer/kernels/cuda/gpu.h"
#include "trainer/kernels/device_ops.h"

using namespace aha_test;

namespace {

const aha::DeviceNetwork& network() {
  return *gpu_ops()->device->network;
}

/// Runs `body` as each of `ranks` processes, and returns how they ended: exit code, or minus a signal.
std::vector<int> on_processes(int ranks, const std::function<bool(int rank)>& body) {
  aha::DeviceNetworkId id{};
  network().make_id(&id);
  std::vector<pid_t> children;
  for (int rank = 0; rank < ranks; ++rank)
    if (const pid_t child = fork(); child == 0) {
      signal(SIGABRT, SIG_DFL);
      if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);  // what ends it, too
      network().join(&id, rank, ranks);
      while (!network().ready())
        usleep(100);
      _exit(body(rank) ? 0 : 1);
    } else {
      children.push_back(child);
    }
  std::vector<int> ends;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    ends.push_back(WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
  }
  std::filesystem::remove_all(id.bytes);
  return ends;
}

void wait_for(std::int64_t number) {
  while (!network().done(number))
    usleep(100);
}

template <class T>
std::int64_t begin(bool sum, aha::DeviceElement element, T* memory) {
  const aha::DevicePart parts[] = {{memory, 2, 0}, {memory + 2, 1, 1}};
  const aha::DeviceGroup group{sum, element, parts, 2};
  return network().begin(&group);
}

}  // namespace

TEST_CASE("device network: parts are summed to their roots, and copied from them") {
  const auto ends = on_processes(2, [](int rank) {
    Device device(*gpu_ops());
    const float f = rank == 0 ? 1.0F : 10.0F;
    auto* floats = device.put<float>({f, 2 * f, 3 * f});
    auto* integers = device.put<std::int64_t>({rank + 1, 1LL << 60, -7});
    auto* halves = device.put<std::uint16_t>({static_cast<std::uint16_t>(rank + 1), 5, 9});
    const auto sum = begin(true, aha::DeviceElement::Float, floats);
    const auto whole = begin(true, aha::DeviceElement::Int64, integers);
    const auto copy = begin(false, aha::DeviceElement::Half, halves);
    wait_for(copy);
    wait_for(sum);
    wait_for(whole);
    const auto f3 = device.get(floats, std::size_t{3});
    const auto i3 = device.get(integers, 3);
    return (rank == 0 ? f3[0] == 11 && f3[1] == 22 && i3[0] == 3 && i3[1] == 1LL << 61
                      : f3[2] == 33 && i3[2] == -14) &&
           device.get(halves, 3) == std::vector<std::uint16_t>{1, 5, 9};
  });
  CHECK(ends == std::vector<int>{0, 0});
}

TEST_CASE(
    "device network: what the table was asked before is sent, and nothing is read before the end") {
  const auto ends = on_processes(2, [](int rank) {
    const aha::Ops& ops = *gpu_ops();
    Device device(ops);
    auto* from = device.put<float>({1, 2, 3});
    auto* buffer = device.put<float>({0, 0, 0});
    auto* early = device.put<float>({0, 0, 0});
    auto* late = device.put<float>({0, 0, 0});
    ops.copy({}, from, 12, buffer);  // asked for, not done
    const auto number = begin(false, aha::DeviceElement::Float, buffer);
    ops.copy({}, buffer, 12, early);
    wait_for(number);
    ops.copy({}, buffer, 12, late);
    const auto e = device.get(early, std::size_t{3});
    return std::isnan(e[rank == 0 ? 2 : 0]) && device.get(late, std::size_t{3}) == Floats{1, 2, 3};
  });
  CHECK(ends == std::vector<int>{0, 0});
}

TEST_CASE("device network: a program that writes to what is under way is ended") {
  for (const bool sum : {true, false}) {
    const auto ends = on_processes(2, [&](int rank) {
      const aha::Ops& ops = *gpu_ops();
      Device device(ops);
      auto* buffer = device.put<float>({1, 2, 3});
      const auto number = begin(sum, aha::DeviceElement::Float, buffer);
      if (rank == 1) ops.zero({}, buffer, 12);
      wait_for(number);
      return true;
    });
    CHECK(ends == std::vector<int>{0, -SIGABRT});
  }
}
