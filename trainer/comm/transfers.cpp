// Sums and copies of buffers: by Gloo's messages between hosts' memory, a device's own of its.
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <atomic>
#include <type_traits>

#include "trainer/comm/communicator.h"
#include "trainer/comm/device_link.h"
#include "trainer/comm/network.h"
#include "trainer/core/bytes.h"
#include "trainer/core/error.h"
#include "trainer/core/tensor.h"

namespace aha {

/// The operations, and when the last of them was done.
struct Transfer::State {
  std::string name, phase;
  std::int64_t step = 0;
  std::int64_t call = 0;
  Clock::time_point begin = Clock::now();
  Tensor own;                  ///< a sum: this rank's slice of the buffer
  std::vector<Tensor> parts;   ///< a sum: each rank's part of it, one of them `own`
  std::vector<Tensor> memory;  ///< of the other parts
  std::vector<c10::intrusive_ptr<c10d::Work>> works;
  std::optional<std::int64_t> on_device;  ///< DeviceLink's number
  std::shared_ptr<std::atomic<std::int64_t>> end_ns =
      std::make_shared<std::atomic<std::int64_t>>(0);  // the network's threads may outlive us
};

namespace {

/// own = part 0 + part 1 + ..., in this order: the bits do not depend on which came first. Ends part 0. By this thread
/// alone: a team of ATen's would spin on the cores of other ranks.
template <class T>
void add_up(const std::vector<Tensor>& parts, const Tensor& own) {
  T* const sum = parts.front().data_ptr<T>();
  for (std::size_t p = 1; p < parts.size(); ++p) {
    const T* const part = parts[p].data_ptr<T>();
    T* const to = p + 1 < parts.size() ? sum : own.data_ptr<T>();
    for (std::int64_t i = 0; i < own.numel(); ++i)
      to[i] = sum[i] + part[i];
  }
}

void add_up(const std::vector<Tensor>& parts, const Tensor& own) {
  if (own.scalar_type() == at::kFloat)
    add_up<float>(parts, own);
  else
    add_up<std::int64_t>(parts, own);
}

}  // namespace

Transfer::Transfer() = default;
/// What nobody waited for may still be on its way: the job is about to end with an error.
Transfer::~Transfer() {
  if (state_) (void)state_.release();
}
Transfer::Transfer(Transfer&&) noexcept = default;
Transfer& Transfer::operator=(Transfer&& other) noexcept {
  state_.swap(other.state_);
  return *this;
}

void Communicator::join_devices(const DeviceNetwork& network) {
  if (!network_) return;
  DeviceNetworkId id{};
  if (leads()) network.make_id(&id);
  ByteWriter message;
  message.add(id);
  id = ByteReader(broadcast(message.take(), "join_devices")).get<DeviceNetworkId>();
  // of a rank that ended by itself; one that fell silent ends this process by the heartbeat
  const auto lost = [this] {
    for (const auto& seen : ranks())
      if (!seen.activity.left.empty()) return std::string("a rank has left");
    return std::string();
  };
  devices_ = std::make_unique<DeviceLink>(network, DeviceLink::Options{timeout_s_, lost});
  network_->run("join_devices", [&] { devices_->join(id, rank(), size()); });
}

void Communicator::abandon_devices() {
  if (devices_) devices_->abandon();
}

template <class T>
void Communicator::begin_on_host(Transfer& transfer, Kind kind, T* buffer,
                                 const std::vector<Slice>& slices) {
  auto& state = *transfer.state_;
  // a half is two bytes that nobody looks at
  const auto type = std::is_same_v<T, float>          ? at::kFloat
                    : std::is_same_v<T, std::int64_t> ? at::kLong
                                                      : at::kHalf;
  const auto message = static_cast<int>(state.call & 0x3FFFFFFF);
  auto& group = *network_->group;
  for (int r = 0; r < size(); ++r) {
    const Slice& slice = slices[static_cast<std::size_t>(r)];
    if (slice.size() == 0) continue;
    std::vector<Tensor> part{at::from_blob(buffer + slice.begin, {slice.size()}, type)};
    if (kind == Kind::Copy) {
      c10d::BroadcastOptions options;
      options.rootRank = r;
      auto& work = state.works.emplace_back(group.broadcast(part, options));
      if (recorder_)
        work->getFuture()->addCallback(
            [end_ns = state.end_ns](c10::ivalue::Future&) { *end_ns = nanoseconds(Clock::now()); });
    } else if (r != rank()) {
      state.works.push_back(group.send(part, r, message));
    } else {
      state.own = part.front();
      for (int from = 0; from < size(); ++from) {
        state.parts.push_back(state.own);
        if (from == r) continue;
        state.memory.push_back(network_->spare.take(slice.size() * std::int64_t{sizeof(T)}));
        part.front() = at::from_blob(state.memory.back().data_ptr(), {slice.size()}, type);
        state.parts.back() = part.front();
        state.works.push_back(group.recv(part, from, message));
      }
    }
  }
}

template <class T>
void Communicator::begin_on_device(Transfer& transfer, Kind kind, T* buffer,
                                   const std::vector<Slice>& slices) {
  const auto element = std::is_same_v<T, float>          ? DeviceElement::Float
                       : std::is_same_v<T, std::int64_t> ? DeviceElement::Int64
                                                         : DeviceElement::Half;
  std::vector<DevicePart> parts;
  for (std::size_t r = 0; r < slices.size(); ++r)
    if (slices[r].size() > 0)
      parts.push_back({buffer + slices[r].begin, slices[r].size(), static_cast<int>(r)});
  if (parts.empty()) return;
  transfer.state_->on_device =
      devices_->begin({kind == Kind::Sum, element, parts.data(), static_cast<int>(parts.size())});
}

template <class T>
Transfer Communicator::begin(Kind kind, T* buffer, const std::vector<Slice>& slices,
                             std::string_view name, Side side) {
  Transfer transfer;
  if (!network_) return transfer;
  check(side == Side::Host || devices_, "devices are joined before their memory is sent");
  transfer.state_ = std::make_unique<Transfer::State>();
  auto& state = *transfer.state_;
  state.name = name;
  state.phase = place_.phase;
  state.step = place_.step;
  state.call = ++calls_;
  network_->run(name, [&] {
    if (side == Side::Host)
      begin_on_host(transfer, kind, buffer, slices);
    else
      begin_on_device(transfer, kind, buffer, slices);
  });
  return transfer;
}

void Communicator::wait(Transfer transfer) {
  if (!transfer.state_) return;
  auto& state = *transfer.state_;  // kept by ~Transfer where the wait fails
  network_->run(state.name, [&] {
    for (const auto& work : state.works)
      work->wait();
    if (!state.parts.empty()) {
      add_up(state.parts, state.own);
      for (auto& memory : state.memory)
        network_->spare.give(std::move(memory));
      *state.end_ns = nanoseconds(Clock::now());
    }
    if (state.on_device) {
      devices_->wait(*state.on_device);
      *state.end_ns = nanoseconds(Clock::now());
    }
  });
  const auto over = std::move(transfer.state_);
  if (!recorder_) return;
  const auto begin_ns = nanoseconds(state.begin);
  recorder_->add(
      state.name, state.phase,
      {0, 0, state.step, begin_ns, std::max(begin_ns, state.end_ns->load()), state.call, true});
}

Transfer Communicator::reduce_to_owners(float* buffer, const std::vector<Slice>& slices,
                                        std::string_view name, Side side) {
  return begin(Kind::Sum, buffer, slices, name, side);
}

Transfer Communicator::reduce_to_owners(std::int64_t* buffer, const std::vector<Slice>& slices,
                                        std::string_view name, Side side) {
  return begin(Kind::Sum, buffer, slices, name, side);
}

Transfer Communicator::share_from_owners(float* buffer, const std::vector<Slice>& slices,
                                         std::string_view name, Side side) {
  return begin(Kind::Copy, buffer, slices, name, side);
}

Transfer Communicator::share_from_owners(std::uint16_t* buffer, const std::vector<Slice>& slices,
                                         std::string_view name, Side side) {
  return begin(Kind::Copy, buffer, slices, name, side);
}

}  // namespace aha
