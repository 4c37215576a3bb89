// Decode steps as CUDA graphs. Not compiled for hosts: tests/support/cuda_on_host_runtime.cpp stands in for it.
#include "trainer/kernels/cuda/recordings.h"

#include <cstdlib>
#include <cstring>
#include <memory>

#include "trainer/kernels/cuda/faults.h"
#include "trainer/kernels/cuda/gpu.h"

struct aha::Recording {
  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  /// A fault of the device is sticky and seen by the next call.
  ~Recording() {
    if (graph != nullptr) (void)cudaGraphExecDestroy(graph);
  }
  cudaGraphExec_t graph = nullptr;
};

namespace aha::cuda {
namespace {

struct RecordingState {
  ScratchBlocks scratch;   ///< of what is recorded
  bool preparing = false;  ///< or recording
  bool recording = false;
  bool early = false;  ///< kernels of recorded steps may start early
};
RecordingState state;

__global__ void wait_only() {
  after_previous();
}

/// Whether the GPU and its driver record and run early starts. AHA_CUDA_EARLY=0: they are not to, for comparisons.
bool can_start_early(int major) {
  const char* wish = std::getenv("AHA_CUDA_EARLY");
  if (major < 9 || (wish != nullptr && std::strcmp(wish, "0") == 0)) return false;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t recording = nullptr;
  cudaError_t status = start_kernel({1, 1, kWarp}, false, wait_only);  // which loads it
  const auto go_on = [&](cudaError_t next) {
    if (status == cudaSuccess) status = next;
  };
  if (status == cudaSuccess)
    go_on(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeThreadLocal));
  if (status == cudaSuccess) {
    go_on(start_kernel({1, 1, kWarp}, false, wait_only));
    go_on(start_kernel({1, 1, kWarp}, true, wait_only));
    go_on(cudaStreamEndCapture(stream(), &graph));
  }
  if (status == cudaSuccess) go_on(cudaGraphInstantiate(&recording, graph, 0));
  if (status == cudaSuccess) go_on(cudaGraphLaunch(recording, stream()));
  if (status == cudaSuccess) go_on(cudaStreamSynchronize(stream()));
  if (recording != nullptr) (void)cudaGraphExecDestroy(recording);
  if (graph != nullptr) (void)cudaGraphDestroy(graph);
  (void)cudaGetLastError();
  return status == cudaSuccess;
}

}  // namespace

bool is_preparing() {
  return state.preparing;
}

ScratchBlocks& recorded_scratch() {
  return state.scratch;
}

void find_early_starts(int major) {
  state.early = can_start_early(major);
}

bool may_start_early() {
  return state.early && state.preparing;
}

void require_no_recording(const char* what) {
  if (state.recording) raise(CudaFault::Ours, "%s while a decode step is recorded", what);
}

void prepare_recording() {
  state.preparing = true;
}

void begin_recording() {
  require(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeThreadLocal),
          "cudaStreamBeginCapture");
  state.recording = true;
}

Recording* end_recording() {
  cudaGraph_t graph = nullptr;
  state.preparing = state.recording = false;
  require(cudaStreamEndCapture(stream(), &graph), "cudaStreamEndCapture");
  auto recording = std::make_unique<Recording>();
  const cudaError_t made = cudaGraphInstantiate(&recording->graph, graph, 0);
  (void)cudaGraphDestroy(graph);
  require(made, "a recorded step");
  require(cudaGraphUpload(recording->graph, stream()), "a recorded step");
  state.scratch.recorded();
  return recording.release();
}

/// A capture that a call has ended ends with an error, which is dealt with.
void drop_recording() {
  state.preparing = false;
  if (!state.recording) return;
  state.recording = false;
  cudaGraph_t graph = nullptr;
  (void)cudaStreamEndCapture(stream(), &graph);
  if (graph != nullptr) (void)cudaGraphDestroy(graph);
  (void)cudaGetLastError();
}

void launch_recording(const Recording* recording) {
  require(cudaGraphLaunch(recording->graph, stream()), "a recorded step");
}

void forget(Recording* recording) {
  (void)cudaStreamSynchronize(stream());
  delete recording;
  state.scratch.forgotten();
}

}  // namespace aha::cuda
