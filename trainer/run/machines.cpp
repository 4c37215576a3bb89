#include "trainer/run/machines.h"

#include <algorithm>
#include <array>
#include <vector>

#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

// Peaks, memory and links: NVIDIA's data sheets of H100 and H200 (SXM), B200 (HGX), A100 80 GB (SXM), L40S
// and RTX 4090: dense rates, NVLink and PCIe halved to one direction. Networks: one adapter a GPU of 400 Gb/s
// (H100, H200, B200), 200 Gb/s (A100), 100 Gb/s (others), as in the vendors' reference machines.
// Shares: trainers in C++ and CUDA publish 45 to 60 % of an H100's peak for 0.5B to 7B models; engines that
// decode 27 to 70 % of what memory allows; collectives of NCCL about 70 to 80 % of a link.
// One launch costs 1.3 us inside a graph and a kernel of a small model 2 us: about 200 of them a decode step.
// cpu: one core of the machine that the README's table of collectives was measured on.
constexpr auto kKinds = std::to_array<MachineKind>({
    {.name = "h100",
     .what = "NVIDIA H100 SXM 80 GB",
     .memory_gib = 79,
     .tflops_16 = 989,
     .tflops_32 = 67,
     .memory_gb_s = 3350,
     .link_gb_s = 450,
     .network_gb_s = 50,
     .per_node = 8,
     .program_gib = 1.5,
     .decode_step_ms = 0.7,
     .collective_ms = 0.03},
    {.name = "h200",
     .what = "NVIDIA H200 SXM 141 GB",
     .memory_gib = 139,
     .tflops_16 = 989,
     .tflops_32 = 67,
     .memory_gb_s = 4800,
     .link_gb_s = 450,
     .network_gb_s = 50,
     .per_node = 8,
     .program_gib = 1.5,
     .decode_step_ms = 0.7,
     .collective_ms = 0.03},
    {.name = "b200",
     .what = "NVIDIA B200 180 GB",
     .memory_gib = 178,
     .tflops_16 = 2250,
     .tflops_32 = 75,
     .memory_gb_s = 8000,
     .link_gb_s = 900,
     .network_gb_s = 50,
     .per_node = 8,
     .program_gib = 1.5,
     .decode_step_ms = 0.7,
     .collective_ms = 0.03},
    {.name = "a100",
     .what = "NVIDIA A100 SXM 80 GB",
     .memory_gib = 79,
     .tflops_16 = 312,
     .tflops_32 = 19.5,
     .memory_gb_s = 2039,
     .link_gb_s = 300,
     .network_gb_s = 25,
     .per_node = 8,
     .program_gib = 1.5,
     .decode_step_ms = 0.9,
     .collective_ms = 0.03},
    {.name = "l40s",
     .what = "NVIDIA L40S 48 GB",
     .memory_gib = 44,
     .tflops_16 = 362,
     .tflops_32 = 91.6,
     .memory_gb_s = 864,
     .link_gb_s = 32,
     .network_gb_s = 12.5,
     .per_node = 8,
     .program_gib = 1.2,
     .decode_step_ms = 0.9,
     .collective_ms = 0.05},
    {.name = "rtx4090",
     .what = "NVIDIA GeForce RTX 4090 24 GB",
     .memory_gib = 23.5,
     .tflops_16 = 165,
     .tflops_32 = 82.6,
     .memory_gb_s = 1008,
     .link_gb_s = 16,
     .network_gb_s = 12.5,
     .per_node = 4,
     .program_gib = 1,
     .decode_step_ms = 0.9,
     .collective_ms = 0.05},
    {.name = "cpu",
     .what = "one core of an x86 server, AVX-512",
     .built = true,
     .memory_gib = 11,
     .tflops_16 = 0.150,
     .tflops_32 = 0.150,
     .memory_gb_s = 10,
     .link_gb_s = 5,
     .network_gb_s = 1.25,
     .per_node = 2,
     .program_gib = 0.2,
     .decode_step_ms = 0.05,
     .collective_ms = 0.02,
     .product_share = 0.55,
     .memory_share = 0.9,
     .link_share = 1},
});

}  // namespace

std::span<const MachineKind> machine_kinds() {
  return kKinds;
}

const MachineKind& machine_kind(std::string_view name) {
  const auto found = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](const MachineKind& kind) { return kind.name == name; });
  if (found != kKinds.end()) return *found;
  std::vector<std::string> names;
  for (const auto& kind : kKinds)
    names.emplace_back(kind.name);
  fail("--gpu: '{}' is no kind of machine that a plan can be made for, expected one of {}", name,
       join_list(names));
}

}  // namespace aha
