#include "trainer/kernels/cuda/nccl_library.h"

#include <dlfcn.h>

namespace aha::cuda {
namespace {

/// False: the library has no such function.
template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* l, NcclLibrary& n) {
  return find(l, "ncclGetVersion", n.GetVersion) && find(l, "ncclGetUniqueId", n.GetUniqueId) &&
         find(l, "ncclCommInitRankConfig", n.CommInitRankConfig) &&
         find(l, "ncclCommGetAsyncError", n.CommGetAsyncError) &&
         find(l, "ncclCommAbort", n.CommAbort) && find(l, "ncclGetErrorString", n.GetErrorString) &&
         find(l, "ncclGetLastError", n.GetLastError) && find(l, "ncclReduce", n.Reduce) &&
         find(l, "ncclBroadcast", n.Broadcast) && find(l, "ncclGroupStart", n.GroupStart) &&
         find(l, "ncclGroupEnd", n.GroupEnd);
}

}  // namespace

std::string nccl_version_text(int code) {
  // up to 2.8 codes had two digits less for the major version
  const int major = code < 10000 ? code / 1000 : code / 10000;
  const int rest = code < 10000 ? code % 1000 : code % 10000;
  return std::to_string(major) + '.' + std::to_string(rest / 100) + '.' +
         std::to_string(rest % 100);
}

std::string open_nccl(const char* file, NcclLibrary& library) {
  const std::string wanted = " or later is needed for several ranks";
  void* opened = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr)
    return std::string("NCCL does not load: ") + dlerror() +
           "; it was looked for in LD_LIBRARY_PATH, beside libaha_cuda.so, in LibTorch's wheel "
           "(nvidia/nccl/lib) and in the system's folders: installing nvidia-nccl-cu13 or "
           "libnccl2, "
           "or one rank, would be right";
  int version = 0;
  if (find(opened, "ncclGetVersion", library.GetVersion) &&
      (library.GetVersion(&version) != ncclSuccess || version < kOldestNccl))
    return std::string(file) + " is NCCL " + nccl_version_text(version) + ", and " +
           nccl_version_text(kOldestNccl) + wanted;
  if (!find_all(opened, library))
    return std::string(file) + " lacks functions of NCCL; " + nccl_version_text(kOldestNccl) +
           wanted;
  return "";
}

}  // namespace aha::cuda
