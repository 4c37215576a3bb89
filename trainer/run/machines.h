#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace aha {

/// What a rank runs on, as its vendor states it, and the shares of that which a program reaches. Rates are
/// those of one rank; a link's are in one direction. A plan is made of these numbers and of nothing else.
struct MachineKind {
  std::string_view name;  ///< as --gpu takes it, "h100"
  std::string_view what;  ///< "NVIDIA H100 SXM 80 GB"
  bool built = false;     ///< its memory is planned as aha holds it, not as cluster_memory would

  double memory_gib = 0;       ///< that a program can have
  double tflops_16 = 0;        ///< dense products of 16-bit numbers
  double tflops_32 = 0;        ///< of f32 (no TF32)
  double memory_gb_s = 0;      ///< read from its memory
  double link_gb_s = 0;        ///< to a rank of the same machine
  double network_gb_s = 0;     ///< to a rank of another machine
  std::int64_t per_node = 1;   ///< ranks of one machine, where nothing else is said
  double program_gib = 0;      ///< libraries, context and communicators
  double decode_step_ms = 0;   ///< of one decode step, at the least: the launches of its kernels
  double collective_ms = 0;    ///< of one collective, beside its bytes
  double product_share = 0.5;  ///< of the peak, that large products reach
  double memory_share = 0.7;   ///< of the memory's rate, that decoding reaches
  double link_share = 0.7;     ///< of a link's rate, that large collectives reach

  double flop_per_s(std::int64_t weight_bytes) const {
    return (weight_bytes == 2 ? tflops_16 : tflops_32) * 1e12 * product_share;
  }
  double bytes_per_s() const { return memory_gb_s * 1e9 * memory_share; }
  double memory_bytes() const { return memory_gib * 1024 * 1024 * 1024; }
};

/// Every kind that a plan can be made for, "cpu" the last.
std::span<const MachineKind> machine_kinds();

/// UserError with the list when there is no such kind.
const MachineKind& machine_kind(std::string_view name);

}  // namespace aha
