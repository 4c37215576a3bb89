#pragma once
// ThreadSanitizer's view of the pretended device (a build with AHA_SANITIZE=thread): a device's thread is one of its fibers,
// and barriers alone order what threads do. What one thread of a block writes and another reads or writes without a barrier
// between them is reported, whatever order they ran in.
#ifdef AHA_WATCH_THREADS
#include <sanitizer/tsan_interface.h>
#endif

namespace cuda_on_host {

#ifdef AHA_WATCH_THREADS
inline void* watched_thread() {
  return __tsan_create_fiber(0);
}
inline void* this_watched_thread() {
  return __tsan_get_current_fiber();
}
/// The next that runs; no order comes of it.
inline void watch(void* thread) {
  __tsan_switch_to_fiber(thread, __tsan_switch_to_fiber_no_sync);
}
/// Who has come to a place before others leave it is before them.
inline void come_to(void* place) {
  __tsan_release(place);
}
inline void leave_from(void* place) {
  __tsan_acquire(place);
}
#else
inline void* watched_thread() {
  return nullptr;
}
inline void* this_watched_thread() {
  return nullptr;
}
inline void watch(void*) {}
inline void come_to(void*) {}
inline void leave_from(void*) {}
#endif

}  // namespace cuda_on_host
