#pragma once
// What the pretended device's kernels (cuda_on_host.cpp) and its memory and calls (cuda_on_host_runtime.cpp) share.
#include <cuda_on_host.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace cuda_on_host {

/// Device memory: begin -> bytes, whole pages without the guard behind them.
extern std::map<std::uintptr_t, std::size_t> allocations;
/// Of the GPU that this process plays.
extern const char* address;
/// Calls that were asked for so far.
extern std::int64_t asked;
/// Where calls go that are recorded and not done; null: nothing is.
extern std::vector<std::function<void()>>* recording;

/// Ends the program: the code under test did what no device would take.
[[noreturn]] void stop(const char* what);

/// Does what was asked for up to a count of calls.
void finish(std::int64_t mark);

}  // namespace cuda_on_host
