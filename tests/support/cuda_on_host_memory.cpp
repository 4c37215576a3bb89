// The pretended device's memory: a range of addresses that is reserved once, with a page between allocations that nothing can
// touch, so that all of them are opened and closed by one call however many there are.
//
// What is not allocated is a mapping of an empty file: a touch there ends the program whether memory is open or not. No place
// is given twice, so that what was released stays closed.
#include <cuda_on_host_state.h>
#include <sys/mman.h>

#include <iterator>
#include <map>
#include <utility>

namespace cuda_on_host {
namespace {

constexpr std::size_t kPage = 4096;

std::size_t whole_pages(std::size_t bytes) {
  return (bytes + kPage - 1) / kPage * kPage;
}

void* map(void* place, std::size_t bytes, int flags, int file, std::size_t offset) {
  return mmap(place, bytes, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE | flags, file,
              static_cast<off_t>(offset));
}

void map_again(char* place, std::size_t bytes, int flags, int file, std::size_t offset) {
  if (map(place, bytes, MAP_FIXED | flags, file, offset) == MAP_FAILED) stop("no memory");
}

struct Range {
  char* begin;
  std::size_t bytes;
};

/// Addresses cost nothing, but there may be a limit to them.
Range reserve(int file) {
  for (int bits = 42; bits >= 36; bits -= 2) {
    const std::size_t bytes = std::size_t{1} << bits;
    if (void* memory = map(nullptr, bytes, 0, file, 0); memory != MAP_FAILED)
      return {static_cast<char*>(memory), bytes};
  }
  stop("64 GiB of addresses cannot be had: raise ulimit -v");
}

const int nothing = memfd_create("nothing", MFD_CLOEXEC);
const Range reserved = reserve(nothing);
char* const range = reserved.begin;
/// Where in the range they begin -> bytes, whole pages.
std::map<std::size_t, std::size_t> allocations;
std::size_t allocated = 0;  ///< bytes
std::size_t next = 0;       ///< place in the range that was never given
bool opened = false;

void protect(std::size_t begin, std::size_t bytes, int protection) {
  if (mprotect(range + begin, bytes, protection) != 0) stop("mprotect failed");
}

void protect_all(int protection) {
  if (allocations.empty()) return;
  const std::size_t begin = allocations.begin()->first;
  const auto& [last, bytes] = *allocations.rbegin();
  protect(begin, last + bytes - begin, protection);
}

}  // namespace

std::int64_t times_allocated = 0;
std::int64_t times_recorded = 0;

void* allocate(std::size_t bytes) {
  ++times_allocated;
  const std::size_t pages = whole_pages(bytes);
  if (pages >= reserved.bytes - next) stop("no addresses are left");
  char* memory = range + next;
  map_again(memory, pages, MAP_ANONYMOUS, -1, 0);
  allocations[next] = pages;
  allocated += pages;
  next += pages + kPage;
  return memory + (pages - bytes);
}

void release(void* memory) {
  const auto place = static_cast<std::size_t>(static_cast<char*>(memory) - range);
  const auto after = allocations.upper_bound(place);
  if (after == allocations.begin()) stop("what is released is no memory of the device");
  const auto found = std::prev(after);
  const auto [begin, pages] = *found;
  if (place >= begin + pages) stop("what is released is no memory of the device");
  map_again(range + begin, pages, 0, nothing, begin);  // one mapping with what is around it
  allocations.erase(found);
  allocated -= pages;
}

std::int64_t allocated_bytes() {
  return static_cast<std::int64_t>(allocated);
}

bool is_device_address(std::uintptr_t word) {
  return word - reinterpret_cast<std::uintptr_t>(range) < reserved.bytes;
}

void open() {
  if (!std::exchange(opened, true)) protect_all(PROT_READ | PROT_WRITE);
}

void close() {
  if (std::exchange(opened, false)) protect_all(PROT_NONE);
}

Reach::Reach(const void* memory, std::size_t bytes) {
  const auto first = reinterpret_cast<std::uintptr_t>(memory);
  if (opened || bytes == 0 || !is_device_address(first)) return;
  const std::size_t place = first - reinterpret_cast<std::uintptr_t>(range);
  begin_ = place / kPage * kPage;
  bytes_ = whole_pages(place + bytes) - begin_;
  protect(begin_, bytes_, PROT_READ | PROT_WRITE);
}

Reach::~Reach() {
  if (bytes_ > 0) protect(begin_, bytes_, PROT_NONE);
}

}  // namespace cuda_on_host
