#include <cuda_on_host.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/numbers.h"
#include "trainer/kernels/cuda/pinned_ring.h"
#include "trainer/kernels/cuda/scratch_blocks.h"
#include "trainer/kernels/out_of_memory.h"

// saves the registers that a call keeps and the stack pointer, and goes on on another stack
asm(R"(
.text
.globl aha_switch_fiber
aha_switch_fiber:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");
extern "C" void aha_switch_fiber(void** save, void* load);

namespace cuda_on_host {

Index3 thread_index{}, block_index{}, block_size{};

namespace {

constexpr std::size_t kStackBytes = 64 << 10;

[[noreturn]] void stop(const char* what) {
  std::fprintf(stderr, "cuda_on_host: %s\n", what);
  std::abort();
}

enum class State { Ready, AtWarp, AtBlock, Done };

struct Fiber {
  State state = State::Ready;
  int parity = 0;
  void* stack_pointer = nullptr;
  std::unique_ptr<char[]> stack;
};

struct Block {
  std::vector<Fiber> fibers;
  std::vector<std::uint64_t> values[2];  ///< that lanes give each other; two sets used in turn
  std::vector<char> shared;
  int current = 0;
  int threads = 0;
  void* scheduler = nullptr;
  const std::function<void()>* kernel = nullptr;
  std::uint64_t launches = 0;
};
Block block;

void leave(State state) {
  Fiber& fiber = block.fibers[static_cast<std::size_t>(block.current)];
  fiber.state = state;
  aha_switch_fiber(&fiber.stack_pointer, block.scheduler);
}

void fiber_main() {
  (*block.kernel)();
  leave(State::Done);
  stop("a fiber went on after its end");
}

void start(Fiber& fiber) {
  if (!fiber.stack) fiber.stack.reset(new char[kStackBytes]);
  const auto end = reinterpret_cast<std::uintptr_t>(fiber.stack.get() + kStackBytes) / 16 * 16;
  auto* top = reinterpret_cast<void**>(end);
  std::fill(top - 8, top, nullptr);
  top[-2] = reinterpret_cast<void*>(&fiber_main);
  fiber.stack_pointer = top - 8;
  fiber.state = State::Ready;
  fiber.parity = 0;
}

void resume(int t) {
  block.current = t;
  thread_index = {static_cast<unsigned>(t), 0, 0};
  aha_switch_fiber(&block.scheduler, block.fibers[static_cast<std::size_t>(t)].stack_pointer);
}

/// Frees [begin, end) when all of them wait for each other; the ended ones do not count at a block's barrier.
bool pass(State waiting, int begin, int end) {
  bool any = false;
  for (int t = begin; t < end; ++t) {
    const State state = block.fibers[static_cast<std::size_t>(t)].state;
    if (state != waiting && !(waiting == State::AtBlock && state == State::Done)) return false;
    any = any || state == waiting;
  }
  for (int t = begin; t < end && any; ++t) {
    State& state = block.fibers[static_cast<std::size_t>(t)].state;
    if (state == waiting) state = State::Ready;
  }
  return any;
}

void run_block(bool ascending) {
  std::fill(block.shared.begin(), block.shared.end(), static_cast<char>(0xff));
  for (int t = 0; t < block.threads; ++t)
    start(block.fibers[static_cast<std::size_t>(t)]);
  for (;;) {
    bool progress = false;
    bool all_done = true;
    for (int i = 0; i < block.threads; ++i) {
      const int t = ascending ? i : block.threads - 1 - i;
      const State& state = block.fibers[static_cast<std::size_t>(t)].state;
      if (state == State::Ready) {
        resume(t);
        progress = true;
      }
      all_done = all_done && state == State::Done;
    }
    if (all_done) return;
    for (int w = 0; w < block.threads; w += 32)
      progress = pass(State::AtWarp, w, w + 32) || progress;
    progress = pass(State::AtBlock, 0, block.threads) || progress;
    if (!progress) stop("threads wait for others that do not come");
  }
}

std::map<std::uintptr_t, std::size_t>
    allocations;  ///< begin -> bytes, whole pages without the guard
int opened = 0;

void protect(int protection) {
  for (const auto& [begin, bytes] : allocations)
    if (mprotect(reinterpret_cast<void*>(begin), bytes, protection) != 0) stop("mprotect failed");
}

bool is_device_address(std::uintptr_t address) {
  auto next = allocations.upper_bound(address);
  if (next == allocations.begin()) return false;
  --next;
  return address <= next->first + next->second;
}

std::deque<std::function<void()>> queue;  ///< asked for and not done
std::int64_t asked = 0;
std::int64_t done = 0;
std::vector<std::function<void()>>* recording = nullptr;

/// Numbers are mapped nowhere, but by chance.
bool is_mapped(std::uintptr_t address) {
  unsigned char resident = 0;
  return address >> 40U >= 0x50 && address >> 40U <= 0x7f &&
         mincore(reinterpret_cast<void*>(address / 4096 * 4096), 1, &resident) == 0;
}

}  // namespace

/// Does what was asked for up to a count of calls.
void finish(std::int64_t mark);

void run(const Launch& launch, const std::function<void()>& kernel) {
  if (launch.threads % 32 != 0 || launch.threads < 32 || launch.threads > 1024 ||
      launch.y > 65535 || launch.shared_bytes > 48 << 10)
    stop("a launch that no GPU would take");
  const Open open;
  block.threads = launch.threads;
  block.kernel = &kernel;
  if (block.fibers.size() < static_cast<std::size_t>(launch.threads))
    block.fibers.resize(static_cast<std::size_t>(launch.threads));
  for (auto& values : block.values)
    values.assign(static_cast<std::size_t>(launch.threads), 0);
  block.shared.resize(static_cast<std::size_t>(launch.shared_bytes));
  block_size = {static_cast<unsigned>(launch.threads), 1, 1};
  const bool ascending = ++block.launches % 2 == 0;
  for (std::int64_t y = 0; y < launch.y; ++y)
    for (std::int64_t x = 0; x < launch.x; ++x) {
      block_index = {static_cast<unsigned>(x), static_cast<unsigned>(y), 0};
      run_block(ascending);
    }
}

void require_no_host_word(const void* argument, std::size_t bytes) {
  for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= bytes; at += sizeof(std::uintptr_t)) {
    std::uintptr_t word = 0;
    std::memcpy(&word, static_cast<const char*>(argument) + at, sizeof word);
    if (word % 4 == 0 && !is_device_address(word) && is_mapped(word))
      stop("a kernel is given a pointer to the host's memory");
  }
}

void* shared_memory() {
  return block.shared.data();
}

void wait_for_block() {
  leave(State::AtBlock);
}

const void* exchange(const void* value, std::size_t bytes, int source) {
  const auto t = static_cast<std::size_t>(block.current);
  const int set = block.fibers[t].parity ^= 1;
  auto& values = block.values[set];
  std::memcpy(&values[t], value, bytes);
  leave(State::AtWarp);
  return &values[t / 32 * 32 + static_cast<std::size_t>(source)];
}

void submit(std::function<void()> task) {
  if (recording != nullptr) return recording->push_back(std::move(task));
  queue.push_back(std::move(task));
  ++asked;
}

void finish(std::int64_t mark) {
  if (recording != nullptr) stop("a wait, a transfer or an allocation while a step is recorded");
  if (done >= mark) return;
  const Open open;
  for (; done < mark; ++done) {
    const auto task = std::move(queue.front());
    queue.pop_front();
    task();
  }
}

Open::Open() {
  if (opened++ == 0) protect(PROT_READ | PROT_WRITE);
}

Open::~Open() {
  if (--opened == 0) protect(PROT_NONE);
}

}  // namespace cuda_on_host

namespace aha::cuda {
namespace {

using cuda_on_host::Open;
constexpr std::size_t kPage = 4096;

/// As much as AHA_PRETENDED_BYTES says.
std::int64_t memory_of_the_device() {
  const char* said = std::getenv("AHA_PRETENDED_BYTES");
  return said == nullptr ? std::int64_t{1} << 40 : std::atoll(said);
}

std::int64_t free_memory() {
  std::int64_t free = memory_of_the_device();
  for (const auto& [begin, bytes] : cuda_on_host::allocations)
    free -= static_cast<std::int64_t>(bytes);
  return free;
}

/// Ends at the end of a page, behind which a page is never open.
void* allocate(std::int64_t bytes) {
  if (cuda_on_host::recording != nullptr) cuda_on_host::stop("an allocation in a recording");
  if (bytes > free_memory())
    throw OutOfMemory("memory of the GPU: as much as is asked for is not free");
  const auto size = static_cast<std::size_t>(round_up(std::max<std::int64_t>(1, bytes), 64));
  const std::size_t pages = (size + kPage - 1) / kPage * kPage;
  void* memory =
      mmap(nullptr, pages + kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) cuda_on_host::stop("no memory");
  cuda_on_host::allocations[reinterpret_cast<std::uintptr_t>(memory)] = pages;
  return static_cast<char*>(memory) + (pages - size);
}

void release(void* memory) {
  if (memory == nullptr) return;
  cuda_on_host::finish(cuda_on_host::asked);
  auto found =
      std::prev(cuda_on_host::allocations.upper_bound(reinterpret_cast<std::uintptr_t>(memory)));
  munmap(reinterpret_cast<void*>(found->first), found->second + kPage);
  cuda_on_host::allocations.erase(found);
}

/// The ring is short, so that it is used again while copies out of it are under way.
void upload(const void* from, std::int64_t bytes, void* to) {
  constexpr std::int64_t kSegmentBytes = 4096;
  static std::byte memory[PinnedRing::kSegments * kSegmentBytes];
  static PinnedRing ring(memory, kSegmentBytes);
  if (cuda_on_host::recording != nullptr) cuda_on_host::stop("an upload in a recording");
  for (std::int64_t at = 0; at < bytes;) {
    const auto piece = ring.take(bytes - at, mark, wait);
    std::memcpy(piece.memory, static_cast<const std::byte*>(from) + at,
                static_cast<std::size_t>(piece.bytes));
    copy({}, piece.memory, piece.bytes, static_cast<std::byte*>(to) + at);
    at += piece.bytes;
  }
}

void download(const void* from, std::int64_t bytes, void* to) {
  wait(mark());
  const Open open;
  if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

std::vector<float> widened(const void* from, FloatType type, Index count) {
  std::vector<float> result(static_cast<std::size_t>(count));
  with_rows({from, nullptr, type}, [&](const auto* elements) {
    for (std::size_t i = 0; i < result.size(); ++i)
      result[i] = cuda::widened(elements[i]);
  });
  return result;
}

}  // namespace

const Memory kMemory{false, allocate, release, upload, download};

namespace {
ScratchBlocks scratch_blocks, recorded_scratch;
bool preparing = false;
}  // namespace

void* scratch(Scratch use, Index bytes) {
  void* memory = (preparing ? recorded_scratch : scratch_blocks).reserve(use, bytes, bytes);
  cuda_on_host::submit([=] {
    if (bytes > 0) std::memset(memory, 0xff, static_cast<std::size_t>(bytes));
  });
  return memory;
}

/// The sums of a product are added in ascending k.
static void multiply(const Gemm& p) {
  if (p.type != FloatType::F32 && p.ldb % 8 != 0)  // activations, in scratch memory
    cuda_on_host::stop("rows of a product's operand that do not begin at multiples of 16 bytes");
  const auto count = [](Index ld, Index columns, Index rows) { return ld * (columns - 1) + rows; };
  const auto a =
      widened(p.a, p.type, p.transpose_a ? count(p.lda, p.m, p.k) : count(p.lda, p.k, p.m));
  const auto b =
      widened(p.b, p.type, p.transpose_b ? count(p.ldb, p.k, p.n) : count(p.ldb, p.n, p.k));
  for (Index j = 0; j < p.n; ++j)
    for (Index i = 0; i < p.m; ++i) {
      float sum = 0;
      for (Index l = 0; l < p.k; ++l)
        sum = std::fma(a[static_cast<std::size_t>(p.transpose_a ? l + i * p.lda : i + l * p.lda)],
                       b[static_cast<std::size_t>(p.transpose_b ? j + l * p.ldb : l + j * p.ldb)],
                       sum);
      float& c = p.c[i + j * p.ldc];
      c = p.add ? c + sum : sum;
    }
}

void gemm(const Gemm& p) {
  cuda_on_host::submit([p] { multiply(p); });
}

void zero(const Exec&, void* to, Index bytes) {
  cuda_on_host::submit([=] {
    if (bytes > 0) std::memset(to, 0, static_cast<std::size_t>(bytes));
  });
}

void copy(const Exec&, const void* from, Index bytes, void* to) {
  cuda_on_host::submit([=] {
    if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));
  });
}

void* allocate_pinned(std::int64_t bytes) {
  return std::malloc(static_cast<std::size_t>(bytes));
}

void release_pinned(void* memory) {
  wait(mark());
  std::free(memory);
}

/// What is read before it is waited for is nonsense.
void download_later(const void* from, std::int64_t bytes, void* to) {
  std::memset(to, 0xff, static_cast<std::size_t>(bytes));
  copy({}, from, bytes, to);
}

std::int64_t mark() {
  return cuda_on_host::asked;
}

void wait(std::int64_t mark) {
  cuda_on_host::finish(mark);
}

DeviceState device_state() {
  return {"a pretended GPU", free_memory(), memory_of_the_device(), 0};
}

namespace {
std::vector<std::chrono::steady_clock::time_point> moments;
}

std::int64_t moment() {
  if (cuda_on_host::recording != nullptr) cuda_on_host::stop("a moment in a recording");
  const auto number = moments.size();
  moments.emplace_back();
  cuda_on_host::submit([number] { moments[number] = std::chrono::steady_clock::now(); });
  return static_cast<std::int64_t>(number);
}

double seconds_between(std::int64_t begin, std::int64_t end) {
  wait(mark());
  return std::chrono::duration<double>(moments[static_cast<std::size_t>(end)] -
                                       moments[static_cast<std::size_t>(begin)])
      .count();
}

void forget_moments() {
  wait(mark());
  moments.clear();
}

}  // namespace aha::cuda

struct aha::Recording {
  std::vector<std::function<void()>> calls;
  void* memory;  ///< a page of the device's, as a recording takes some
};

namespace aha::cuda {
namespace {
std::vector<std::function<void()>> recorded;
}

void prepare_recording() {
  preparing = true;
}

void begin_recording() {
  recorded.clear();
  cuda_on_host::recording = &recorded;
}

Recording* end_recording() {
  drop_recording();
  void* memory = allocate(kPage);
  recorded_scratch.recorded();
  return new Recording{std::move(recorded), memory};
}

void drop_recording() {
  preparing = false;
  cuda_on_host::recording = nullptr;
}

void launch_recording(const Recording* recording) {
  for (const auto& call : recording->calls)
    cuda_on_host::submit(call);
}

void forget(Recording* recording) {
  release(recording->memory);
  delete recording;
  recorded_scratch.forgotten();
}

}  // namespace aha::cuda
