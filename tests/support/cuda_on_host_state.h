#pragma once
// What the pretended device's kernels (cuda_on_host.cpp), memory (cuda_on_host_memory.cpp), calls
// (cuda_on_host_runtime.cpp) and faults (cuda_on_host_faults.cpp) share.
#include <cuda_on_host.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cuda_on_host {

/// Device memory that is closed, zero-filled, and ends at the end of a page, behind which a page is never open.
void* allocate(std::size_t bytes);
void release(void* memory);
std::int64_t allocated_bytes();
/// How often memory was taken so far, and steps recorded.
extern std::int64_t times_allocated, times_recorded;
/// Where device memory is, was or may be.
bool is_device_address(std::uintptr_t word);

/// Opens all device memory until it is closed.
void open();
void close();
/// Opens the pages of some bytes while it lives, where they are device memory that is not open.
class Reach {
 public:
  Reach(const void* memory, std::size_t bytes);
  ~Reach();
  Reach(const Reach&) = delete;
  Reach& operator=(const Reach&) = delete;

 private:
  std::size_t begin_, bytes_ = 0;  ///< whole pages
};

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
/// The same where nothing may be thrown, as by destructors: a fault is seen by the next call.
void finish_quietly(std::int64_t mark);

/// Whether this one of a kind of calls, which are counted, is to fail, and so all later ones.
bool fails(const std::string& kind);
/// From here on the device does nothing.
void break_device();
bool is_broken();
/// Every call after a fault of the device reports it, as CUDA's do; `what` names the call.
void require_whole(const char* what);

}  // namespace cuda_on_host
