// Decode steps as CUDA graphs. Not compiled for hosts: tests/support/cuda_on_host_runtime.cpp stands in for it.
#include "trainer/kernels/cuda/recordings.h"

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
};
RecordingState state;

}  // namespace

bool is_preparing() {
  return state.preparing;
}

ScratchBlocks& recorded_scratch() {
  return state.scratch;
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
