#pragma once
// NCCL, opened when a job has several ranks and not before: one GPU does not need it.
#include <nccl.h>

#include <string>

namespace aha::cuda {

/// The functions of NCCL that are called, by their names without "nccl".
struct NcclLibrary {
  decltype(&ncclGetVersion) GetVersion;
  decltype(&ncclGetUniqueId) GetUniqueId;
  decltype(&ncclCommInitRankConfig) CommInitRankConfig;
  decltype(&ncclCommGetAsyncError) CommGetAsyncError;
  decltype(&ncclCommAbort) CommAbort;
  decltype(&ncclGetErrorString) GetErrorString;
  decltype(&ncclGetLastError) GetLastError;
  decltype(&ncclReduce) Reduce;
  decltype(&ncclBroadcast) Broadcast;
  decltype(&ncclGroupStart) GroupStart;
  decltype(&ncclGroupEnd) GroupEnd;
};

/// The first version whose communicators do not block: 2.14.
constexpr int kOldestNccl = NCCL_VERSION(2, 14, 0);

/// Opens a file, which is looked for as the dynamic linker does. What is wrong with it, in words; empty: nothing.
std::string open_nccl(const char* file, NcclLibrary& library);

/// "2.28.9"
std::string nccl_version_text(int code);

}  // namespace aha::cuda
