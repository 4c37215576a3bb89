#include <cuda_on_host_state.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

#include "tests/support/watched_threads.h"

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
const char* address = "pretended";
std::int64_t asked = 0;
std::vector<std::function<void()>>* recording = nullptr;

void stop(const char* what) {
  std::fprintf(stderr, "cuda_on_host: %s\n", what);
  std::abort();
}

namespace {

#ifdef AHA_WATCH_THREADS
constexpr std::size_t kStackBytes = 256 << 10;
#else
constexpr std::size_t kStackBytes = 64 << 10;
#endif

enum class State { Ready, AtWarp, AtBlock, Done };

struct Copy {
  const void* from;
  int bytes;
  char* to;
  int size;
  int group;
};

void do_copy(const Copy& c) {
  std::memcpy(c.to, c.from, static_cast<std::size_t>(c.bytes));
  std::fill(c.to + c.bytes, c.to + c.size, 0);
}

struct Fiber {
  State state = State::Ready;
  std::vector<Copy> copies;  ///< asked for and not waited for
  int group = 0;             ///< of copies, that is not ended
  int parity = 0;            ///< of the warp's barriers
  int block_parity = 0;      ///< of the block's
  void* stack_pointer = nullptr;
  void* watched = nullptr;
  std::unique_ptr<char[]> stack;
};

/// Where threads wait for each other: a barrier is not the one before it.
struct Places {
  char begin, end;
  char warps[32][2];
  char block[2];
};
Places places;

struct Block {
  std::vector<Fiber> fibers;
  std::vector<std::uint64_t> values[2];  ///< that lanes give each other; two sets used in turn
  std::vector<char> shared;
  int current = 0;
  int passed = 0;  ///< threads of the round that goes on, in its order
  int threads = 0;
  bool ascending = true;
  void* behind = nullptr;   ///< stack pointer of who runs the block
  void* watched = nullptr;  ///< the same to who watches
  const std::function<void()>* kernel = nullptr;
  std::uint64_t launches = 0;
};
Block block;

void leave(State state);

void fiber_main() {
  leave_from(&places.begin);
  (*block.kernel)();
  if (!block.fibers[static_cast<std::size_t>(block.current)].copies.empty())
    stop("a thread ends before its copies");
  leave(State::Done);
  stop("a fiber went on after its end");
}

void start(Fiber& fiber) {
  if (!fiber.stack) {
    fiber.stack.reset(new char[kStackBytes]);
    fiber.watched = watched_thread();
  }
  const auto end = reinterpret_cast<std::uintptr_t>(fiber.stack.get() + kStackBytes) / 16 * 16;
  auto* top = reinterpret_cast<void**>(end);
  std::fill(top - 8, top, nullptr);
  top[-2] = reinterpret_cast<void*>(&fiber_main);
  fiber.stack_pointer = top - 8;
  fiber.state = State::Ready;
  fiber.parity = fiber.block_parity = 0;
  fiber.group = 0;
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

/// Frees those that wait for nobody any more. False: there are none.
bool pass_all() {
  bool any = false;
  for (int w = 0; w < block.threads; w += 32)
    any = pass(State::AtWarp, w, w + 32) || any;
  return pass(State::AtBlock, 0, block.threads) || any;
}

/// Goes round the threads, and on after a round in which some were freed. -1: all have ended.
int next_thread() {
  do {
    while (block.passed < block.threads) {
      const int i = block.passed++;
      const int t = block.ascending ? i : block.threads - 1 - i;
      if (block.fibers[static_cast<std::size_t>(t)].state == State::Ready) return t;
    }
    block.passed = 0;
  } while (pass_all());
  for (int t = 0; t < block.threads; ++t)
    if (block.fibers[static_cast<std::size_t>(t)].state != State::Done)
      stop("threads wait for others that do not come");
  return -1;
}

/// Goes on with the next thread, or behind the block, and returns when it is this one's turn again.
void go_on(void** save) {
  const int t = next_thread();
  if (t == block.current) return;
  block.current = t;
  thread_index = {static_cast<unsigned>(t), 0, 0};
  const Fiber* next = t < 0 ? nullptr : &block.fibers[static_cast<std::size_t>(t)];
  watch(next == nullptr ? block.watched : next->watched);
  aha_switch_fiber(save, next == nullptr ? block.behind : next->stack_pointer);
}

void* place_of(State state, Fiber& fiber) {
  if (state == State::Done) return &places.end;
  if (state == State::AtWarp) return &places.warps[block.current / 32][fiber.parity];
  return &places.block[fiber.block_parity ^= 1];
}

void leave(State state) {
  Fiber& fiber = block.fibers[static_cast<std::size_t>(block.current)];
  void* place = place_of(state, fiber);
  fiber.state = state;
  come_to(place);
  go_on(&fiber.stack_pointer);
  leave_from(place);
}

void run_block() {
  std::fill(block.shared.begin(), block.shared.end(), static_cast<char>(0xff));
  for (int t = 0; t < block.threads; ++t)
    start(block.fibers[static_cast<std::size_t>(t)]);
  block.passed = 0;
  block.current = -1;
  block.watched = this_watched_thread();
  come_to(&places.begin);
  go_on(&block.behind);
  leave_from(&places.end);
}

std::deque<std::function<void()>> queue;  ///< asked for and not done
std::int64_t done = 0;

/// Numbers are mapped nowhere, but by chance.
bool is_mapped(std::uintptr_t address) {
  unsigned char resident = 0;
  return address >> 40U >= 0x50 && address >> 40U <= 0x7f &&
         mincore(reinterpret_cast<void*>(address / 4096 * 4096), 1, &resident) == 0;
}

}  // namespace

void run(const Launch& launch, const std::function<void()>& kernel) {
  if (launch.threads % 32 != 0 || launch.threads < 32 || launch.threads > 1024 ||
      launch.y > 65535 || launch.shared_bytes > 99 << 10)
    stop("a launch that no GPU would take");
  open();
  block.threads = launch.threads;
  block.kernel = &kernel;
  if (block.fibers.size() < static_cast<std::size_t>(launch.threads))
    block.fibers.resize(static_cast<std::size_t>(launch.threads));
  for (auto& values : block.values)
    values.assign(static_cast<std::size_t>(launch.threads), 0);
  block.shared.resize(static_cast<std::size_t>(launch.shared_bytes));
  block_size = {static_cast<unsigned>(launch.threads), 1, 1};
  block.ascending = ++block.launches % 2 == 0;
  for (std::int64_t y = 0; y < launch.y; ++y)
    for (std::int64_t x = 0; x < launch.x; ++x) {
      block_index = {static_cast<unsigned>(x), static_cast<unsigned>(y), 0};
      run_block();
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
  if (bytes == sizeof values[t])
    std::memcpy(&values[t], value, sizeof values[t]);  // by far the most, and no call
  else
    std::memcpy(&values[t], value, bytes);
  leave(State::AtWarp);
  return &values[t / 32 * 32 + static_cast<std::size_t>(source)];
}

void copy_later(const void* from, int bytes, void* to, int size) {
  const auto misplaced = [&](const void* at) {
    return reinterpret_cast<std::uintptr_t>(at) % static_cast<std::uintptr_t>(size) != 0;
  };
  const auto* begin = block.shared.data();
  auto* place = static_cast<char*>(to);
  if (misplaced(from) || misplaced(to) || bytes < 0 || bytes > size || place < begin ||
      place + size > begin + block.shared.size())
    stop("a copy to shared memory that no GPU would do");
  Fiber& fiber = block.fibers[static_cast<std::size_t>(block.current)];
  const Copy copy{from, bytes, place, size, fiber.group};
  if (block.current % 2 == 0) return do_copy(copy);
  fiber.copies.push_back(copy);
}

void wait_for_copies() {
  auto& copies = block.fibers[static_cast<std::size_t>(block.current)].copies;
  for (const Copy& copy : copies)
    do_copy(copy);
  copies.clear();
}

void end_copies() {
  ++block.fibers[static_cast<std::size_t>(block.current)].group;
}

void wait_for_copies_but(int groups) {
  Fiber& fiber = block.fibers[static_cast<std::size_t>(block.current)];
  auto& copies = fiber.copies;
  auto first = copies.begin();
  for (; first != copies.end() && first->group < fiber.group - groups; ++first)
    do_copy(*first);
  copies.erase(copies.begin(), first);
}

void submit(std::function<void()> task) {
  require_whole("a kernel's start");
  if (recording != nullptr) return recording->push_back(std::move(task));
  queue.push_back(std::move(task));
  ++asked;
}

void finish(std::int64_t mark) {
  finish_quietly(mark);
  if (done < mark) require_whole("a kernel before a wait");
}

void finish_quietly(std::int64_t mark) {
  if (recording != nullptr) stop("a wait, a transfer or an allocation while a step is recorded");
  if (done >= mark || is_broken()) return;
  for (; done < mark; ++done) {
    if (fails("device")) {
      break_device();
      break;
    }
    const auto task = std::move(queue.front());
    queue.pop_front();
    task();
  }
  close();
}

}  // namespace cuda_on_host
