// What of the pretended device fails, as the environment says.
//
// AHA_PRETENDED_FAULT is device:N: the N-th call that is done breaks the device; memory:N: from the N-th allocation on there is
// too little memory; N: the N-th group of the network fails (cuda_on_host_network.cpp). Where AHA_PRETENDED_FAULT_AFTER names a
// file, calls and allocations count from when it is there: a test says so at which place of a job it wants the fault.
#include <cuda_on_host_state.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "trainer/kernels/cuda_library.h"

namespace cuda_on_host {
namespace {

std::string variable(const char* name) {
  const char* said = std::getenv(name);
  return said == nullptr ? "" : said;
}

bool broken = false;

}  // namespace

bool fails(const std::string& kind) {
  static const std::string said = variable("AHA_PRETENDED_FAULT");
  static const std::string file = variable("AHA_PRETENDED_FAULT_AFTER");
  static std::int64_t count = 0;
  if (!said.starts_with(kind + ":")) return false;
  if (count == 0 && !file.empty() && !std::filesystem::exists(file)) return false;
  return ++count >= std::atoll(said.c_str() + kind.size() + 1);
}

void break_device() {
  broken = true;
}

bool is_broken() {
  return broken;
}

void require_whole(const char* what) {
  if (broken)
    throw aha::DeviceError(std::string(what) +
                           ": an illegal memory access was encountered (cudaErrorIllegalAddress)");
}

}  // namespace cuda_on_host
