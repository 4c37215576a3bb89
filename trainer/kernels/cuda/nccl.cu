// Collectives between the GPUs of a job's ranks, by NCCL. Not compiled for hosts: tests/support/cuda_on_host_network.cpp stands in
// for it.
//
// The communicator does not block: a call returns at once, and CommGetAsyncError says when NCCL has done with it what the host
// has to (connect to peers, put kernels on the stream). Until then nothing else may be asked of it.
#include <cstring>

#include "trainer/kernels/cuda/device.h"
#include "trainer/kernels/cuda/faults.h"
#include "trainer/kernels/cuda/gpu.h"
#include "trainer/kernels/cuda/nccl_library.h"

namespace aha::cuda {
namespace {

constexpr const char* kFile = "libnccl.so.2";
constexpr int kEvents = 64;

struct Network {
  NcclLibrary nccl{};
  ncclComm_t comm = nullptr;
  cudaStream_t stream = nullptr;  ///< of collectives
  cudaEvent_t asked = nullptr;    ///< what the table was asked for before a group
  cudaEvent_t events[kEvents] = {};
  std::int64_t begun = 0;   ///< groups
  std::int64_t handed = 0;  ///< of them on the stream: group g ends with event g mod kEvents
  std::int64_t passed = 0;  ///< the last group that is known to be complete
};
Network network;

void open() {
  static const std::string problem = open_nccl(kFile, network.nccl);
  if (!problem.empty()) raise(CudaFault::User, "device: %s", problem.c_str());
}

/// In progress is no error. NCCL's own words are of the last error of this rank; that memory is short they alone say.
void require_nccl(ncclResult_t result, const char* what) {
  if (result == ncclSuccess || result == ncclInProgress) return;
  const char* const words = network.nccl.GetLastError(network.comm);
  const bool memory = result == ncclUnhandledCudaError && std::strstr(words, "out of memory");
  raise(memory ? CudaFault::Memory : CudaFault::Device, "%s: NCCL says %s (%s)", what,
        network.nccl.GetErrorString(result), words);
}

ncclDataType_t type_of(DeviceElement element) {
  return element == DeviceElement::Float   ? ncclFloat32
         : element == DeviceElement::Int64 ? ncclInt64
                                           : ncclFloat16;
}

void make_id(DeviceNetworkId* id) {
  ncclUniqueId made;
  static_assert(sizeof made == sizeof *id);
  require_nccl(network.nccl.GetUniqueId(&made), "the meeting point of the GPUs");
  std::memcpy(id, &made, sizeof made);
}

/// Collectives go first where both streams have work: they wait for other GPUs, and these for them.
void make_stream() {
  int least = 0, greatest = 0;
  require(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange");
  require(cudaStreamCreateWithPriority(&network.stream, cudaStreamNonBlocking, greatest),
          "cudaStreamCreate");
  require(cudaEventCreateWithFlags(&network.asked, cudaEventDisableTiming), "cudaEventCreate");
  for (auto& event : network.events)
    require(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
}

void join(const DeviceNetworkId* id, int rank, int ranks) {
  make_stream();
  ncclUniqueId given;
  std::memcpy(&given, id, sizeof given);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  require_nccl(network.nccl.CommInitRankConfig(&network.comm, ranks, given, rank, &config),
               "joining the other GPUs");
}

bool ready() {
  if (network.comm == nullptr) raise(CudaFault::Ours, "no network of GPUs was joined");
  ncclResult_t state = ncclSuccess;
  require_nccl(network.nccl.CommGetAsyncError(network.comm, &state), "the network of GPUs");
  require_nccl(state, "the network of GPUs");
  if (state == ncclInProgress) return false;
  if (network.handed < network.begun) {
    require(cudaEventRecord(network.events[network.begun % kEvents], network.stream),
            "cudaEventRecord");
    network.handed = network.begun;
  }
  return true;
}

/// In place.
ncclResult_t start(const DeviceGroup& group, const DevicePart& part) {
  const NcclLibrary& nccl = network.nccl;
  const auto count = static_cast<std::size_t>(part.count);
  const auto type = type_of(group.element);
  return group.sum ? nccl.Reduce(part.memory, part.memory, count, type, ncclSum, part.root,
                                 network.comm, network.stream)
                   : nccl.Broadcast(part.memory, part.memory, count, type, part.root, network.comm,
                                    network.stream);
}

std::int64_t begin(const DeviceGroup* group) {
  if (group->sum && group->element == DeviceElement::Half)
    raise(CudaFault::Ours, "halves are not summed");
  require_no_recording("a collective is begun");
  require(cudaEventRecord(network.asked, stream()), "cudaEventRecord");
  require(cudaStreamWaitEvent(network.stream, network.asked), "cudaStreamWaitEvent");
  require_nccl(network.nccl.GroupStart(), "a collective of GPUs");
  ncclResult_t started = ncclSuccess;
  for (int i = 0; i < group->num_parts && (started == ncclSuccess || started == ncclInProgress);
       ++i)
    started = start(*group, group->parts[i]);
  const ncclResult_t ended = network.nccl.GroupEnd();  // of one that failed, too: `abandon` follows
  require_nccl(started, "a collective of GPUs");
  require_nccl(ended, "a collective of GPUs");
  return ++network.begun;
}

/// The event of an old group may be a later one's by now, which is to wait for more.
bool done(std::int64_t number) {
  if (number <= network.passed) return true;
  if (!ready() && number > network.handed) return false;
  const cudaError_t status = cudaEventQuery(network.events[number % kEvents]);
  if (status == cudaErrorNotReady) return false;
  require(status, "a collective of GPUs");
  network.passed = number;
  return true;
}

/// A fault here changes nothing: the process is about to end.
void abandon() {
  if (network.comm != nullptr) (void)network.nccl.CommAbort(network.comm);
  network.comm = nullptr;
}

}  // namespace

bool network_is_busy() {
  if (network.comm == nullptr || network.begun == network.passed) return false;
  if (network.handed < network.begun) return true;
  if (cudaEventQuery(network.events[network.begun % kEvents]) != cudaSuccess) return true;
  network.passed = network.begun;
  return false;
}

const DeviceNetwork kNetwork{open, make_id, join, ready, begin, done, abandon};

}  // namespace aha::cuda
