// The device, its memory, its errors, and products by cuBLAS. Not compiled for hosts: tests/support/cuda_on_host_runtime.cpp
// stands in for it.
#include <cublas_v2.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/faults.h"
#include "trainer/kernels/cuda/gpu.h"
#include "trainer/kernels/cuda/pinned_ring.h"
#include "trainer/kernels/cuda/recordings.h"
#include "trainer/kernels/cuda/scratch_blocks.h"

namespace aha::cuda {
namespace {

constexpr int kOldestMajor = 8;  ///< compute capability
constexpr std::size_t kBlasWorkspace = std::size_t{32} << 20;

constexpr std::int64_t kSegmentBytes = std::int64_t{4} << 20;
constexpr int kEvents = 64;

/// One GPU a process, and one stream beside that of collectives (nccl.cu).
struct State {
  CudaHost host;
  cudaStream_t stream = nullptr;
  cublasHandle_t blas = nullptr;
  ScratchBlocks scratch;
  PinnedRing uploads{nullptr, 0};
  void* landing = nullptr;  ///< of downloads, kSegmentBytes
  cudaEvent_t events[kEvents] = {};
  std::int64_t marks = 0;       ///< mark m is event m mod kEvents, until it is used again
  std::int64_t passed = 0;      ///< the last mark that was waited for
  std::vector<void*> released;  ///< and not freed yet
  std::vector<cudaEvent_t> moments;
  std::size_t num_moments = 0;  ///< of them in use
  cudaDeviceProp properties{};
  char address[16] = {};  ///< of the GPU on the PCI bus, "0000:1b:00.0"
  std::int64_t held_before = 0;
};
State state;

struct MemoryInfo {
  std::size_t free = 0, total = 0;
};

/// It is dealt with: later calls are not to see the status. How much is free may itself be not to be had.
[[noreturn]] void raise_memory(const char* what) {
  (void)cudaGetLastError();
  MemoryInfo info;
  (void)cudaMemGetInfo(&info.free, &info.total);
  raise(CudaFault::Memory, kTooLittleMemory, what, static_cast<double>(info.free) / 1e9,
        static_cast<double>(info.total) / 1e9);
}

void require_blas(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_ALLOC_FAILED) raise_memory(what);
  if (status != CUBLAS_STATUS_SUCCESS)
    raise(CudaFault::Device, "%s: cuBLAS says %s", what, cublasGetStatusString(status));
}

/// What was released while the network was busy.
void free_released() {
  if (state.released.empty() || network_is_busy()) return;
  for (void* memory : state.released)
    (void)cudaFree(memory);
  state.released.clear();
}

/// Too little memory shows as one of two statuses when a handle is made.
cublasHandle_t create_blas() {
  cublasHandle_t blas = nullptr;
  const cublasStatus_t status = cublasCreate(&blas);
  if (status == CUBLAS_STATUS_ALLOC_FAILED || status == CUBLAS_STATUS_NOT_INITIALIZED)
    raise(CudaFault::Memory,
          "memory of the GPU: cuBLAS does not start (%s; %s); ending what else uses the GPU (see "
          "nvidia-smi) would be right",
          cublasGetStatusString(status), cudaGetErrorString(cudaGetLastError()));
  require_blas(status, "cublasCreate");
  return blas;
}

MemoryInfo memory_info() {
  MemoryInfo info;
  require(cudaMemGetInfo(&info.free, &info.total), "cudaMemGetInfo");
  return info;
}

void* allocate(std::int64_t bytes) {
  require_no_recording("memory is taken");
  free_released();
  void* memory = nullptr;
  const auto size = static_cast<std::size_t>(bytes > 0 ? bytes : 1);
  char what[64];
  std::snprintf(what, sizeof what, "%.2f GB more", static_cast<double>(bytes) / 1e9);
  const cudaError_t status = cudaMalloc(&memory, size);
  if (status == cudaErrorMemoryAllocation) raise_memory(what);
  require(status, "cudaMalloc");
  require(cudaMemsetAsync(memory, 0, size, state.stream), "cudaMemset");
  return memory;
}

/// Waits for the device, and so for other GPUs where a collective is under way: an error of this rank would not get
/// past it. It is called by destructors; a fault of the device is sticky and seen by the next call.
void release(void* memory) {
  free_released();
  if (memory != nullptr && network_is_busy())
    state.released.push_back(memory);
  else
    (void)cudaFree(memory);
}

/// Through pinned memory, as pageable memory would make the host wait for the device.
void upload(const void* from, std::int64_t bytes, void* to) {
  require_no_recording("an upload");
  for (std::int64_t at = 0; at < bytes;) {
    const auto piece = state.uploads.take(bytes - at, mark, wait);
    const auto size = static_cast<std::size_t>(piece.bytes);
    std::memcpy(piece.memory, static_cast<const std::byte*>(from) + at, size);
    require(cudaMemcpyAsync(static_cast<std::byte*>(to) + at, piece.memory, size,
                            cudaMemcpyHostToDevice, state.stream),
            "a copy to the GPU");
    at += piece.bytes;
  }
}

void download(const void* from, std::int64_t bytes, void* to) {
  require_no_recording("a download");
  for (std::int64_t at = 0; at < bytes; at += kSegmentBytes) {
    const std::int64_t size = bytes - at < kSegmentBytes ? bytes - at : kSegmentBytes;
    download_later(static_cast<const std::byte*>(from) + at, size, state.landing);
    require(cudaStreamSynchronize(state.stream), "a kernel before a copy from the GPU");
    std::memcpy(static_cast<std::byte*>(to) + at, state.landing, static_cast<std::size_t>(size));
  }
}

cudaDataType_t blas_type(FloatType type) {
  return type == FloatType::F32 ? CUDA_R_32F : type == FloatType::BF16 ? CUDA_R_16BF : CUDA_R_16F;
}

void check_device() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaErrorInsufficientDriver)
    raise(CudaFault::User,
          "device: there is no NVIDIA driver, or one too old for CUDA %d.%d (%s); another, or cpu, "
          "would be right",
          CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10, cudaGetErrorString(status));
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0))
    raise(
        CudaFault::User,
        "device: no GPU is visible (see nvidia-smi and CUDA_VISIBLE_DEVICES); cpu would be right");
  if (status != cudaSuccess)  // a driver that does not match, devices that may not be opened, ...
    raise(
        CudaFault::User,
        "device: CUDA finds no GPU: %s (%s); mending the driver (see nvidia-smi), or cpu, would be "
        "right",
        cudaGetErrorString(status), cudaGetErrorName(status));
  const int gpu = gpu_of(state.host.local_rank, state.host.local_ranks, count);
  if (gpu < 0)
    raise(CudaFault::User,
          "device: %d ranks of the job are on this machine, and of its GPUs %d are visible (see "
          "nvidia-smi and CUDA_VISIBLE_DEVICES); a rank a GPU, or cpu, would be right",
          state.host.local_ranks, count);
  require(cudaSetDevice(gpu), "cudaSetDevice");
  cudaDeviceProp& properties = state.properties;
  require(cudaGetDeviceProperties(&properties, gpu), "cudaGetDeviceProperties");
  require(cudaDeviceGetPCIBusId(state.address, sizeof state.address, gpu), "cudaDeviceGetPCIBusId");
  if (properties.major < kOldestMajor)
    raise(CudaFault::User,
          "device: %s has compute capability %d.%d and this build is for %d.0 and later; cpu would "
          "be right",
          properties.name, properties.major, properties.minor, kOldestMajor);
}

}  // namespace

void raise(CudaFault fault, const char* message) {
  state.host.raise(fault, message);
  __builtin_unreachable();
}

const Memory kMemory{false, allocate, release, upload, download};

cudaStream_t stream() {
  return state.stream;
}

void require(cudaError_t status, const char* what) {
  if (status == cudaErrorMemoryAllocation) raise_memory(what);
  if (status != cudaSuccess)
    raise(CudaFault::Device, "%s: %s (%s)", what, cudaGetErrorString(status),
          cudaGetErrorName(status));
}

void* scratch(Scratch use, Index bytes) {
  ScratchBlocks& blocks = is_preparing() ? recorded_scratch() : state.scratch;
  return blocks.reserve(use, bytes, bytes + bytes / 4);
}

void* allocate_pinned(std::int64_t bytes) {
  void* memory = nullptr;
  require(cudaMallocHost(&memory, static_cast<std::size_t>(bytes)), "pinned memory");
  return memory;
}

/// Waits for the device.
void release_pinned(void* memory) {
  (void)cudaFreeHost(memory);
}

void download_later(const void* from, std::int64_t bytes, void* to) {
  require(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost,
                          state.stream),
          "a copy from the GPU");
}

std::int64_t mark() {
  ++state.marks;
  require(cudaEventRecord(state.events[state.marks % kEvents], state.stream), "cudaEventRecord");
  return state.marks;
}

/// The event of an old mark may be a later one's by now, which is to wait for more.
void wait(std::int64_t mark) {
  require_no_recording("a wait");
  if (mark <= state.passed) return;
  require(cudaEventSynchronize(state.events[mark % kEvents]), "a kernel before a wait");
  state.passed = mark;
}

DeviceState device_state() {
  const MemoryInfo info = memory_info();
  return {state.properties.name, static_cast<std::int64_t>(info.free),
          static_cast<std::int64_t>(info.total), state.held_before, state.address};
}

std::int64_t moment() {
  require_no_recording("a moment is noted");
  if (state.num_moments == state.moments.size()) {
    cudaEvent_t event = nullptr;
    require(cudaEventCreate(&event), "cudaEventCreate");
    state.moments.push_back(event);
  }
  require(cudaEventRecord(state.moments[state.num_moments], state.stream), "cudaEventRecord");
  return static_cast<std::int64_t>(state.num_moments++);
}

double seconds_between(std::int64_t begin, std::int64_t end) {
  const cudaEvent_t last = state.moments[static_cast<std::size_t>(end)];
  float milliseconds = 0;
  require(cudaEventSynchronize(last), "a kernel before a moment");
  require(cudaEventElapsedTime(&milliseconds, state.moments[static_cast<std::size_t>(begin)], last),
          "cudaEventElapsedTime");
  return 1e-3 * static_cast<double>(milliseconds);
}

void forget_moments() {
  state.num_moments = 0;
}

void gemm(const Gemm& p) {
  const float one = 1.0F;
  const float beta = p.add ? 1.0F : 0.0F;
  const cudaDataType_t type = blas_type(p.type);
  require_blas(cublasGemmEx_64(state.blas, p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N,
                               p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N, p.m, p.n, p.k, &one, p.a,
                               type, p.lda, p.b, type, p.ldb, &beta, p.c, blas_type(p.c_type),
                               p.ldc, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
               "a product");
}

void zero(const Exec&, void* to, Index bytes) {
  if (bytes == 0) return;
  require(cudaMemsetAsync(to, 0, static_cast<std::size_t>(bytes), state.stream), "cudaMemset");
}

void copy(const Exec&, const void* from, Index bytes, void* to) {
  if (bytes == 0) return;
  require(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToDevice,
                          state.stream),
          "a copy on the GPU");
}

}  // namespace aha::cuda

extern "C" __attribute__((visibility("default"))) const aha::Ops* aha_cuda_open(
    const aha::CudaHost* host) {
  using namespace aha::cuda;
  if (!aha::same_interface(*host)) return nullptr;
  if (state.blas != nullptr) return &table();
  state.host = *host;
  // a kernel that is loaded at its first call waits for the device, and so for other GPUs
  if (host->local_ranks > 1) (void)setenv("CUDA_MODULE_LOADING", "EAGER", 0);
  check_device();
  require(cudaStreamCreateWithFlags(&state.stream, cudaStreamNonBlocking), "cudaStreamCreate");
  const MemoryInfo info = memory_info();
  state.held_before = static_cast<std::int64_t>(info.total - info.free);
  for (auto& event : state.events)
    require(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
  state.uploads = {allocate_pinned(PinnedRing::kSegments * kSegmentBytes), kSegmentBytes};
  state.landing = allocate_pinned(kSegmentBytes);
  cublasHandle_t blas = create_blas();
  require_blas(cublasSetStream(blas, state.stream), "cublasSetStream");
  // a workspace of our own: the same products whatever ran before, and none of them allocates
  require_blas(cublasSetWorkspace(blas, kMemory.allocate(kBlasWorkspace), kBlasWorkspace),
               "cublasSetWorkspace");
  require_blas(cublasSetMathMode(blas, static_cast<cublasMath_t>(
                                           CUBLAS_DEFAULT_MATH |
                                           CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION)),
               "cublasSetMathMode");
  state.blas = blas;
  return &table();
}
