// runtime.cu for the pretended device: memory, transfers, products, marks and recordings.
#include <cuda_on_host_state.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/faults.h"
#include "trainer/kernels/cuda/numbers.h"
#include "trainer/kernels/cuda/pinned_ring.h"
#include "trainer/kernels/cuda/scratch_blocks.h"
#include "trainer/kernels/out_of_memory.h"

namespace aha::cuda {
namespace {

using cuda_on_host::Reach;

/// As much as AHA_PRETENDED_BYTES says.
std::int64_t memory_of_the_device() {
  const char* said = std::getenv("AHA_PRETENDED_BYTES");
  return said == nullptr ? std::int64_t{1} << 40 : std::atoll(said);
}

std::int64_t free_memory() {
  return memory_of_the_device() - cuda_on_host::allocated_bytes();
}

[[noreturn]] void raise_memory(std::int64_t bytes) {
  const auto gigabytes = [](std::int64_t n) { return static_cast<double>(n) / 1e9; };
  char what[64], message[512];
  std::snprintf(what, sizeof what, "%.2f GB more", gigabytes(bytes));
  std::snprintf(message, sizeof message, kTooLittleMemory, what, gigabytes(free_memory()),
                gigabytes(memory_of_the_device()));
  throw OutOfMemory(message);
}

void* allocate(std::int64_t bytes) {
  if (cuda_on_host::recording != nullptr) cuda_on_host::stop("an allocation in a recording");
  cuda_on_host::require_whole("cudaMalloc");
  if (cuda_on_host::fails("memory") || bytes > free_memory()) raise_memory(bytes);
  return cuda_on_host::allocate(
      static_cast<std::size_t>(round_up(std::max<std::int64_t>(1, bytes), 64)));
}

void release(void* memory) {
  if (memory == nullptr) return;
  cuda_on_host::finish_quietly(cuda_on_host::asked);
  cuda_on_host::release(memory);
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

void copy_now(const void* from, std::int64_t bytes, void* to) {
  const auto size = static_cast<std::size_t>(bytes);
  const Reach left(from, size);
  const Reach right(to, size);
  if (size > 0) std::memcpy(to, from, size);
}

void fill_now(void* to, std::int64_t bytes, int byte) {
  const auto size = static_cast<std::size_t>(bytes);
  const Reach reach(to, size);
  if (size > 0) std::memset(to, byte, size);
}

void download(const void* from, std::int64_t bytes, void* to) {
  wait(mark());
  copy_now(from, bytes, to);
}

/// A product's operand as [k, count]; in memory the next number of a `k` or of a row is `ld` away, as `along_k` says.
std::vector<float> operand(const void* from, FloatType type, Index ld, bool along_k, Index count,
                           Index k) {
  std::vector<float> result(static_cast<std::size_t>(count * k));
  with_rows({from, nullptr, type}, [&](const auto* elements) {
    auto to = result.begin();
    for (Index l = 0; l < k; ++l)
      for (Index i = 0; i < count; ++i)
        *to++ = widened(elements[along_k ? l + i * ld : i + l * ld]);
  });
  return result;
}

/// sums += a b, each rounded once, whether the processor has an instruction for it or not.
[[gnu::target_clones("fma", "default")]] void add_products(const float* a, float b, Index count,
                                                           float* sums) {
  for (Index i = 0; i < count; ++i)
    sums[i] = std::fma(a[i], b, sums[i]);
}

}  // namespace

const Memory kMemory{false, allocate, release, upload, download};

namespace {
ScratchBlocks scratch_blocks, recorded_scratch;
bool preparing = false;
}  // namespace

void* scratch(Scratch use, Index bytes) {
  void* memory = (preparing ? recorded_scratch : scratch_blocks).reserve(use, bytes, bytes);
  cuda_on_host::submit([=] { fill_now(memory, bytes, 0xff); });
  return memory;
}

static void put_column(const Gemm& p, Index j, const std::vector<float>& sums) {
  for (Index i = 0; i < p.m; ++i) {
    const float sum = sums[static_cast<std::size_t>(i)];
    if (p.c_type == FloatType::BF16) {
      round_to(sum, static_cast<Bf16*>(p.c)[i + j * p.ldc]);
      continue;
    }
    float& c = static_cast<float*>(p.c)[i + j * p.ldc];
    c = p.add ? c + sum : sum;
  }
}

/// The sums of a product are added in ascending k.
static void multiply(const Gemm& p) {
  cuda_on_host::open();
  if (p.type != FloatType::F32 && p.ldb % 8 != 0)  // activations, in scratch memory
    cuda_on_host::stop("rows of a product's operand that do not begin at multiples of 16 bytes");
  const auto a = operand(p.a, p.type, p.lda, p.transpose_a, p.m, p.k);
  const auto b = operand(p.b, p.type, p.ldb, !p.transpose_b, p.n, p.k);
  std::vector<float> sums(static_cast<std::size_t>(p.m));
  for (Index j = 0; j < p.n; ++j) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (Index l = 0; l < p.k; ++l)
      add_products(a.data() + l * p.m, b[static_cast<std::size_t>(l * p.n + j)], p.m, sums.data());
    put_column(p, j, sums);
  }
}

void gemm(const Gemm& p) {
  cuda_on_host::submit([p] { multiply(p); });
}

void zero(const Exec&, void* to, Index bytes) {
  cuda_on_host::submit([=] { fill_now(to, bytes, 0); });
}

void copy(const Exec&, const void* from, Index bytes, void* to) {
  cuda_on_host::submit([=] { copy_now(from, bytes, to); });
}

void* allocate_pinned(std::int64_t bytes) {
  return std::malloc(static_cast<std::size_t>(bytes));
}

void release_pinned(void* memory) {
  cuda_on_host::finish_quietly(cuda_on_host::asked);
  std::free(memory);
}

/// What is read before it is waited for is nonsense.
void download_later(const void* from, std::int64_t bytes, void* to) {
  std::memset(to, 0xff, static_cast<std::size_t>(bytes));
  copy({}, from, bytes, to);
}

std::int64_t mark() {
  cuda_on_host::require_whole("cudaEventRecord");
  return cuda_on_host::asked;
}

void wait(std::int64_t mark) {
  cuda_on_host::finish(mark);
}

DeviceState device_state() {
  cuda_on_host::require_whole("cudaMemGetInfo");
  return {"a pretended GPU", free_memory(), memory_of_the_device(), 0, cuda_on_host::address};
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
  cuda_on_host::finish_quietly(cuda_on_host::asked);
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
  cuda_on_host::require_whole("cudaStreamBeginCapture");
  recorded.clear();
  cuda_on_host::recording = &recorded;
}

Recording* end_recording() {
  drop_recording();
  ++cuda_on_host::times_recorded;
  void* memory = allocate(4096);
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
