// Sums and copies of buffers: between ranks of one machine by reading each other's memory, else by Gloo's messages; of a
// device's memory by its own means.
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <type_traits>

#include "trainer/comm/communicator.h"
#include "trainer/comm/device_link.h"
#include "trainer/comm/neighbours.h"
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
  std::vector<c10::intrusive_ptr<c10d::Work>> works;
  /// On a host: adds or fetches, when the works are done.
  std::function<void(const Exec&)> complete;
  bool among_neighbours = false;
  std::optional<std::int64_t> on_device;  ///< DeviceLink's number
  std::shared_ptr<std::atomic<std::int64_t>> end_ns =
      std::make_shared<std::atomic<std::int64_t>>(0);  // the network's threads may outlive us
};

namespace {

/// own = part 0 + part 1 + ..., in rank order: the bits do not depend on which came first. Integers wrap.
template <class T>
void add_up(const std::vector<const T*>& parts, std::int64_t n, T* own, const Exec& exec) {
  using Sum = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
  exec.run((n + kShardUnit - 1) / kShardUnit, [&](std::int64_t unit) {
    const auto end = std::min(n, (unit + 1) * kShardUnit);
    for (auto i = unit * kShardUnit; i < end; ++i) {
      auto sum = static_cast<Sum>(parts[0][i]);
      for (std::size_t p = 1; p < parts.size(); ++p)
        sum += static_cast<Sum>(parts[p][i]);
      own[i] = static_cast<T>(sum);
    }
  });
}

/// Elements that a thread fetches at a time: what it then adds is still in its cache.
constexpr std::int64_t kFetched = 8 * kShardUnit;

/// Calls body(begin, elements) for pieces of the slice, by the team.
template <class Body>
void over_pieces(const Exec& exec, const Slice& slice, const Body& body) {
  exec.run((slice.size() + kFetched - 1) / kFetched, [&](std::int64_t piece) {
    const auto begin = slice.begin + piece * kFetched;
    body(begin, std::min(kFetched, slice.end - begin));
  });
}

/// As add_up, of parts that lie in other ranks' memory: fetch(rank, begin, elements, to) brings one's.
template <class T, class Fetch>
void fetch_and_add(int rank, int ranks, const Slice& own, T* buffer, const Exec& exec,
                   const Fetch& fetch) {
  using Sum = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
  over_pieces(exec, own, [&](std::int64_t begin, std::int64_t n) {
    static thread_local std::vector<T> kept;
    kept.resize(static_cast<std::size_t>(2 * kFetched));
    T* const mine = buffer + begin;
    T* const part = kept.data();
    // a + b is b + a: the first two parts are added in the own one's place, whichever of them that is
    T* const sum = rank <= 1 ? mine : part + kFetched;
    for (int r = 0; r < ranks; ++r) {
      if (r == rank && rank <= 1) continue;
      T* const next = r == rank ? mine : r == 0 && rank > 1 ? sum : part;
      if (r != rank) fetch(r, begin, n, next);
      for (std::int64_t i = 0; next != sum && i < n; ++i)
        sum[i] = static_cast<T>(static_cast<Sum>(sum[i]) + static_cast<Sum>(next[i]));
    }
    if (rank > 1) std::copy_n(sum, n, mine);
  });
}

/// A half is two bytes that nobody looks at.
template <class T>
constexpr auto kType = std::is_same_v<T, float>          ? at::kFloat
                       : std::is_same_v<T, std::int64_t> ? at::kLong
                                                         : at::kHalf;

template <class T>
std::vector<Tensor> as_tensors(T* values, std::int64_t n) {
  return {at::from_blob(values, {n}, kType<T>)};
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

/// Where each rank's buffer is, when it has begun.
std::vector<std::uint64_t> Communicator::buffers_of_neighbours(std::int64_t call) const {
  std::vector<std::uint64_t> places;
  for (int r = 0; r < size(); ++r)
    places.push_back(neighbours_->await(r, call).address);
  return places;
}

template <class T>
void Communicator::begin_among_neighbours(Transfer& transfer, Kind kind, T* buffer,
                                          const std::vector<Slice>& slices) {
  auto& state = *transfer.state_;
  state.among_neighbours = true;
  neighbours_->post(state.call, buffer, 0);
  state.complete = [this, kind, buffer, slices, call = state.call](const Exec& exec) {
    const auto places = buffers_of_neighbours(call);
    const auto fetch = [&](int r, std::int64_t at, std::int64_t n, T* to) {
      neighbours_->read(r, places[static_cast<std::size_t>(r)] + sizeof(T) * at, to, sizeof(T) * n);
    };
    const Slice own = slices[static_cast<std::size_t>(rank())];
    if (kind == Kind::Sum) return fetch_and_add(rank(), size(), own, buffer, exec, fetch);
    for (int r = 0; r < size(); ++r) {
      const Slice& theirs = slices[static_cast<std::size_t>(r)];
      if (r != rank())
        over_pieces(exec, theirs,
                    [&](std::int64_t at, std::int64_t n) { fetch(r, at, n, buffer + at); });
    }
  };
}

template <class T>
void Communicator::begin_sum_on_host(Transfer& transfer, T* buffer,
                                     const std::vector<Slice>& slices, T* room) {
  auto& state = *transfer.state_;
  const auto message = static_cast<int>(state.call & 0x3FFFFFFF);
  auto& group = *network_->group;
  const Slice own = slices[static_cast<std::size_t>(rank())];
  check(room != nullptr || own.size() == 0, "a sum has room for the others' parts");
  T* const sum = buffer + own.begin;
  std::vector<const T*> parts;
  for (int r = 0; r < size(); ++r) {
    if (r == rank()) {
      parts.push_back(sum);
      continue;
    }
    if (own.size() > 0) {
      auto part = as_tensors(room, own.size());
      parts.push_back(room);
      room += own.size();
      state.works.push_back(group.recv(part, r, message));
    }
    if (const Slice& theirs = slices[static_cast<std::size_t>(r)]; theirs.size() > 0) {
      auto part = as_tensors(buffer + theirs.begin, theirs.size());
      state.works.push_back(group.send(part, r, message));
    }
  }
  state.complete = [=](const Exec& exec) { add_up(parts, own.size(), sum, exec); };
}

template <class T>
void Communicator::begin_copy_on_host(Transfer& transfer, T* buffer,
                                      const std::vector<Slice>& slices) {
  auto& state = *transfer.state_;
  for (std::size_t r = 0; r < slices.size(); ++r) {
    if (slices[r].size() == 0) continue;
    auto part = as_tensors(buffer + slices[r].begin, slices[r].size());
    c10d::BroadcastOptions options;
    options.rootRank = static_cast<int>(r);
    auto& work = state.works.emplace_back(network_->group->broadcast(part, options));
    if (recorder_)
      work->getFuture()->addCallback(
          [end_ns = state.end_ns](c10::ivalue::Future&) { *end_ns = nanoseconds(Clock::now()); });
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
                             std::type_identity_t<T>* room, std::string_view name, Side side) {
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
    if (side == Side::Device)
      begin_on_device(transfer, kind, buffer, slices);
    else if (neighbours_)
      begin_among_neighbours(transfer, kind, buffer, slices);
    else if (kind == Kind::Sum)
      begin_sum_on_host(transfer, buffer, slices, room);
    else
      begin_copy_on_host(transfer, buffer, slices);
  });
  return transfer;
}

void Communicator::wait(Transfer transfer, const Exec& exec) {
  if (!transfer.state_) return;
  auto& state = *transfer.state_;  // kept by ~Transfer where the wait fails
  network_->run(state.name, [&] {
    for (const auto& work : state.works)
      work->wait();
    if (state.on_device) devices_->wait(*state.on_device);
    if (state.on_device || state.complete) *state.end_ns = nanoseconds(Clock::now());
    if (state.complete) state.complete(exec);
    if (!state.among_neighbours) return;
    neighbours_->finish(state.call);
    neighbours_->await_finished(state.call);  // others may still fetch from here
    *state.end_ns = nanoseconds(Clock::now());
  });
  const auto over = std::move(transfer.state_);
  if (!recorder_) return;
  const auto begin_ns = nanoseconds(state.begin);
  recorder_->add(
      state.name, state.phase,
      {0, 0, state.step, begin_ns, std::max(begin_ns, state.end_ns->load()), state.call, true});
}

Transfer Communicator::reduce_to_owners(float* buffer, const std::vector<Slice>& slices,
                                        float* room, std::string_view name, Side side) {
  return begin(Kind::Sum, buffer, slices, room, name, side);
}

Transfer Communicator::reduce_to_owners(std::int64_t* buffer, const std::vector<Slice>& slices,
                                        std::int64_t* room, std::string_view name, Side side) {
  return begin(Kind::Sum, buffer, slices, room, name, side);
}

Transfer Communicator::share_from_owners(float* buffer, const std::vector<Slice>& slices,
                                         std::string_view name, Side side) {
  return begin(Kind::Copy, buffer, slices, nullptr, name, side);
}

Transfer Communicator::share_from_owners(std::uint16_t* buffer, const std::vector<Slice>& slices,
                                         std::string_view name, Side side) {
  return begin(Kind::Copy, buffer, slices, nullptr, name, side);
}

}  // namespace aha
