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
  using Works = std::vector<c10::intrusive_ptr<c10d::Work>>;
  std::string name, phase;
  std::int64_t step = 0;
  std::int64_t call = 0;
  Clock::time_point begin = Clock::now();
  Works works;
  std::function<void(const Exec&)>
      complete;  ///< on a host: adds or fetches, when the works are done
  /// Among neighbours: where a rank's bytes lie for this one, and this one's for it; then, that they have been taken.
  struct Bytes {
    std::int64_t theirs = 0, own = 0;
    bool fetched = false;  ///< from there by this one
    std::int64_t taken = 0;
  };
  std::vector<Bytes> of_rank;
  Works taken;
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

/// The same, of parts that lie in other ranks' memory: fetch(rank, i, to, n) brings n elements of one from the i-th on.
template <class T, class Fetch>
void fetch_and_add(int rank, int ranks, std::int64_t n, T* own, const Exec& exec,
                   const Fetch& fetch) {
  using Sum = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
  exec.run((n + kFetched - 1) / kFetched, [&](std::int64_t piece) {
    const std::int64_t begin = piece * kFetched;
    const std::int64_t size = std::min(kFetched, n - begin);
    static thread_local std::vector<T> kept;
    kept.resize(static_cast<std::size_t>(2 * kFetched));
    T* const part = kept.data();
    // a + b is b + a: the first two parts are added in the own one's place, whichever of them that is
    T* const sum = rank <= 1 ? own + begin : part + kFetched;
    for (int r = 0; r < ranks; ++r) {
      if (r == rank && rank <= 1) continue;
      T* const next = r == rank ? own + begin : r == 0 && rank > 1 ? sum : part;
      if (r != rank) fetch(r, begin, next, size);
      for (std::int64_t i = 0; next != sum && i < size; ++i)
        sum[i] = static_cast<T>(static_cast<Sum>(sum[i]) + static_cast<Sum>(next[i]));
    }
    if (rank > 1) std::copy_n(sum, size, own + begin);
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

/// Among neighbours: tells each rank where the bytes are that it takes from here (-> `given`, null: none), and expects to
/// be told where those are that this one takes from it (`takes`).
template <class T>
void Communicator::begin_among_neighbours(Transfer& transfer, const std::vector<T*>& given,
                                          const std::vector<bool>& takes) {
  auto& state = *transfer.state_;
  auto& group = *network_->group;
  const auto message = static_cast<int>(state.call & 0x1FFFFFFF) * 2;
  state.of_rank.resize(given.size());  // whose places do not change from here on
  for (int r = 0; r < size(); ++r) {
    auto& bytes = state.of_rank[static_cast<std::size_t>(r)];
    if (r == rank()) continue;
    if (takes[static_cast<std::size_t>(r)]) {
      auto theirs = as_tensors(&bytes.theirs, 1);
      state.works.push_back(group.recv(theirs, r, message));
      bytes.fetched = true;
    }
    if (T* const place = given[static_cast<std::size_t>(r)]; place != nullptr) {
      bytes.own = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(place));
      auto own = as_tensors(&bytes.own, 1);
      state.works.push_back(group.send(own, r, message));
      auto taken = as_tensors(&bytes.taken, 1);
      state.taken.push_back(group.recv(taken, r, message + 1));
    }
  }
}

/// Tells those whose bytes were fetched, and waits until the own ones have been.
void Communicator::end_among_neighbours(Transfer& transfer) {
  auto& state = *transfer.state_;
  auto& group = *network_->group;
  const auto message = static_cast<int>(state.call & 0x1FFFFFFF) * 2;
  for (int r = 0; r < std::ssize(state.of_rank); ++r) {
    auto& bytes = state.of_rank[static_cast<std::size_t>(r)];
    if (!bytes.fetched) continue;
    auto taken = as_tensors(&bytes.theirs, 1);  // any word
    state.taken.push_back(group.send(taken, r, message + 1));
  }
  for (const auto& work : state.taken)
    work->wait();
}

template <class T>
void Communicator::begin_sum_among_neighbours(Transfer& transfer, T* buffer,
                                              const std::vector<Slice>& slices) {
  auto& state = *transfer.state_;
  const Slice own = slices[static_cast<std::size_t>(rank())];
  std::vector<T*> given;
  for (const auto& slice : slices)
    given.push_back(slice.size() > 0 ? buffer + slice.begin : nullptr);
  begin_among_neighbours(transfer, given, std::vector<bool>(slices.size(), own.size() > 0));
  state.complete = [this, &state, own, sum = buffer + own.begin](const Exec& exec) {
    fetch_and_add(
        rank(), size(), own.size(), sum, exec, [&](int r, std::int64_t i, T* to, std::int64_t n) {
          const auto at = state.of_rank[static_cast<std::size_t>(r)].theirs;
          neighbours_->read(r, static_cast<std::uint64_t>(at) + sizeof(T) * i, to, sizeof(T) * n);
        });
  };
}

template <class T>
void Communicator::begin_copy_among_neighbours(Transfer& transfer, T* buffer,
                                               const std::vector<Slice>& slices) {
  auto& state = *transfer.state_;
  const Slice own = slices[static_cast<std::size_t>(rank())];
  std::vector<bool> takes;
  for (const auto& slice : slices)
    takes.push_back(slice.size() > 0);
  begin_among_neighbours(
      transfer, std::vector<T*>(slices.size(), own.size() > 0 ? buffer + own.begin : nullptr),
      takes);
  state.complete = [this, &state, buffer, slices](const Exec& exec) {
    for (int r = 0; r < size(); ++r) {
      const auto& bytes = state.of_rank[static_cast<std::size_t>(r)];
      const Slice& slice = slices[static_cast<std::size_t>(r)];
      if (!bytes.fetched) continue;
      exec.run((slice.size() + kFetched - 1) / kFetched, [&](std::int64_t piece) {
        const auto i = piece * kFetched;
        neighbours_->read(r, static_cast<std::uint64_t>(bytes.theirs) + sizeof(T) * i,
                          buffer + slice.begin + i,
                          sizeof(T) * std::min(kFetched, slice.size() - i));
      });
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
    else if (neighbours_ && kind == Kind::Sum)
      begin_sum_among_neighbours(transfer, buffer, slices);
    else if (neighbours_)
      begin_copy_among_neighbours(transfer, buffer, slices);
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
    if (neighbours_ && !state.on_device) end_among_neighbours(transfer);
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
