#include "trainer/kernels/cuda_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "trainer/kernels/cuda/interface.h"
#include "trainer/kernels/out_of_memory.h"

namespace aha {
namespace {

void raise(CudaFault fault, const char* message) {
  if (fault == CudaFault::User) throw UserError(message);
  if (fault == CudaFault::Memory) throw OutOfMemory(message);
  if (fault == CudaFault::Ours) throw InternalError(message);
  throw DeviceError(message);
}

std::filesystem::path library_path() {
  if (const char* named = std::getenv("AHA_CUDA_LIBRARY")) return named;
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "libaha_cuda.so";
}

}  // namespace

const Ops& cuda_ops(const LocalRank& rank) {
  const auto path = library_path();
  if (!std::filesystem::exists(path))
    fail("device: {} is missing: this build has no CUDA; cpu or auto would be right",
         path.string());
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    fail(
        "device: the CUDA library does not load: {}; is the CUDA Toolkit or LibTorch with CUDA "
        "there?",
        dlerror());
  const auto open = reinterpret_cast<CudaOpen>(dlsym(library, "aha_cuda_open"));
  CudaHost host;
  host.local_rank = rank.number;
  host.local_ranks = rank.ranks;
  host.raise = raise;
  const Ops* ops = open == nullptr ? nullptr : open(&host);
  if (ops == nullptr)
    fail("device: {} is of another build than this program; build both from one checkout",
         path.string());
  return *ops;
}

}  // namespace aha
