#include "trainer/comm/communicator.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "trainer/comm/device_link.h"
#include "trainer/comm/network.h"
#include "trainer/comm/rendezvous.h"
#include "trainer/core/bytes.h"
#include "trainer/core/tensor.h"

C10_DECLARE_int(caffe2_log_level);

namespace aha {
namespace {

std::vector<std::uint8_t> bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

Tensor bytes_tensor(const std::string& bytes) {
  Tensor t = at::empty({static_cast<std::int64_t>(bytes.size())}, at::kByte);
  std::memcpy(t.data_ptr(), bytes.data(), bytes.size());
  return t;
}

constexpr std::size_t kFirstPart = 2048;

/// The length of the whole and its first kFirstPart bytes.
std::string first_part(const std::string& bytes) {
  const std::size_t length = bytes.size();
  std::string part(reinterpret_cast<const char*>(&length), sizeof length);
  part += bytes.substr(0, kFirstPart);
  part.resize(sizeof length + kFirstPart);
  return part;
}

std::size_t length_of(const std::string& first) {
  std::size_t length = 0;
  std::memcpy(&length, first.data(), sizeof length);
  return length;
}

/// Of ranks whose bytes have the same length.
std::vector<std::string> gather_equal(c10d::Backend& group, const std::string& own, int ranks) {
  std::vector<Tensor> in{bytes_tensor(own)};
  std::vector<std::vector<Tensor>> all(1);
  for (int r = 0; r < ranks; ++r)
    all[0].push_back(at::empty_like(in[0]));
  group.allgather(all, in, {})->wait();
  std::vector<std::string> result;
  for (const auto& t : all[0])
    result.emplace_back(static_cast<const char*>(t.const_data_ptr()),
                        static_cast<std::size_t>(t.numel()));
  return result;
}

}  // namespace

/// The operations, and when the last of them was done.
struct Transfer::State {
  std::string name, phase;
  std::int64_t step = 0;
  std::int64_t call = 0;
  Clock::time_point begin = Clock::now();
  std::vector<c10::intrusive_ptr<c10d::Work>> works;
  std::optional<std::int64_t> on_device;  ///< DeviceLink's number
  std::shared_ptr<std::atomic<std::int64_t>> end_ns =
      std::make_shared<std::atomic<std::int64_t>>(0);  // the network's threads may outlive us
};

Transfer::Transfer() = default;
Transfer::~Transfer() = default;
Transfer::Transfer(Transfer&&) noexcept = default;
Transfer& Transfer::operator=(Transfer&&) noexcept = default;

Communicator::Communicator() = default;

Communicator::Communicator(const Placement& placement, const CommOptions& options)
    : placement_(placement), timeout_s_(options.timeout_s) {
  if (placement.world_size == 1) {
    constexpr double kNever = 1e9;
    heartbeat_ =
        std::make_unique<Heartbeat>(Board::private_one(), host_name(), kNever, end_process);
    return;
  }
  // a peer that was lost is an error of the write to it, which says more than a silent end
  std::signal(SIGPIPE, SIG_IGN);
  FLAGS_caffe2_log_level = 3;  // nothing but its end: what fails is reported by us, in a line
  network_ = std::make_unique<Network>(placement, options, heartbeat_);
}

Communicator::~Communicator() = default;

void Communicator::enter(Place place) {
  if (heartbeat_) heartbeat_->enter(place.phase, place.step, place.since);
  place_ = std::move(place);
}

std::vector<Seen> Communicator::ranks() const {
  return heartbeat_ ? heartbeat_->ranks() : std::vector<Seen>{};
}

template <class Body>
void Communicator::collective(std::string_view name, Body&& body) {
  const auto begin = Clock::now();
  network_->run(name, std::forward<Body>(body));
  ++calls_;
  if (recorder_)
    recorder_->add(name, place_.phase,
                   {0, 0, place_.step, nanoseconds(begin), nanoseconds(Clock::now()), calls_});
}

void Communicator::leave(const std::string& why) {
  if (!network_) return;
  network_->heartbeat.leave(why);
  // with rank 0 the place goes where the others read it
  if (leads())
    std::this_thread::sleep_for(std::chrono::duration<double>(3 * Heartbeat::kIntervalS));
}

void Communicator::finish() {
  if (!network_) return;
  barrier("finish");
  network_->run("finish", [&] {
    const std::string done = "done";
    auto& store = *network_->store;
    store.add(done, 1);
    // rank 0 keeps the store, and goes last
    while (leads() && store.add(done, 0) < size())
      ::usleep(10'000);
  });
  network_->finished = true;
}

bool Communicator::stop_wanted(bool own) {
  if (!network_) return own;
  if (own) network_->heartbeat.want_stop();
  return own || network_->heartbeat.stop_wanted();
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
  collective("join_devices", [&] { devices_->join(id, rank(), size()); });
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
  for (std::size_t r = 0; r < slices.size(); ++r) {
    if (slices[r].size() == 0) continue;
    std::vector<Tensor> part{at::from_blob(buffer + slices[r].begin, {slices[r].size()}, type)};
    c10d::ReduceOptions reduce;
    c10d::BroadcastOptions broadcast;
    reduce.rootRank = broadcast.rootRank = static_cast<int>(r);
    auto& work =
        state.works.emplace_back(kind == Kind::Sum ? network_->group->reduce(part, reduce)
                                                   : network_->group->broadcast(part, broadcast));
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
  const auto& state = *transfer.state_;
  network_->run(state.name, [&] {
    for (const auto& work : state.works)
      work->wait();
    if (state.on_device) {
      devices_->wait(*state.on_device);
      *state.end_ns = nanoseconds(Clock::now());
    }
  });
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

std::vector<std::string> Communicator::all_gather(const std::string& own, std::string_view name) {
  if (!network_) return {own};
  std::vector<std::string> result;
  collective(name, [&] {
    // most messages are short: their first part carries the length, and is all there is
    const auto firsts = gather_equal(*network_->group, first_part(own), size());
    std::size_t longest = 0;
    for (const auto& first : firsts)
      longest = std::max(longest, length_of(first));
    std::vector<std::string> rests(firsts.size());
    if (longest > kFirstPart) {
      std::string rest = own.size() > kFirstPart ? own.substr(kFirstPart) : std::string();
      rest.resize(longest - kFirstPart);
      rests = gather_equal(*network_->group, rest, size());
    }
    for (std::size_t r = 0; r < firsts.size(); ++r)
      result.push_back(
          (firsts[r].substr(sizeof(std::size_t)) + rests[r]).substr(0, length_of(firsts[r])));
  });
  return result;
}

std::string Communicator::broadcast(const std::string& own, std::string_view name) {
  if (!network_) return own;
  return all_gather(leads() ? own : std::string(), name).front();
}

bool Communicator::any(bool own, std::string_view name) {
  if (!network_) return own;
  for (const auto& text : all_gather(own ? "1" : "", name))
    if (!text.empty()) return true;
  return false;
}

void Communicator::barrier(std::string_view name) {
  if (network_) collective(name, [&] { network_->group->barrier({})->wait(); });
}

std::int64_t Communicator::claim(std::int64_t count) {
  if (!network_) return std::exchange(next_, next_ + count);
  std::int64_t first = 0;
  network_->run("claim_work", [&] {
    first = network_->store->add("queue/" + std::to_string(queue_), count) - count;
  });
  return first;
}

std::vector<ClockOffset> Communicator::start_recording() {
  ClockOffset own;
  if (network_)
    network_->run("align_clocks", [&] {
      auto& store = *network_->store;
      const Letters letters{
          [&](const std::string& key, const std::string& text) { store.set(key, bytes_of(text)); },
          [&](const std::string& key) {
            const auto value = store.get(key);
            return std::string(value.begin(), value.end());
          }};
      if (leads())
        answer_clock_questions(letters, size());
      else
        own = ask_for_clock(letters, rank());
    });
  const auto machines = all_gather(machine_id(), "align_clocks");
  if (machines.front() == machine_id()) own = on_one_machine(own);
  ByteWriter message;
  message.add(own);
  std::vector<ClockOffset> offsets;
  for (const auto& bytes : all_gather(message.take(), "align_clocks"))
    offsets.push_back(ByteReader(bytes).get<ClockOffset>());
  recorder_.emplace();
  return offsets;
}

std::vector<std::string> Communicator::take_spans() {
  return all_gather(recorder_ ? recorder_->take() : std::string(), "gather_trace");
}

void Communicator::post(const std::string& name, const std::string& text) {
  if (network_) network_->store->set("post/" + name, bytes_of(text));
}

std::optional<std::string> Communicator::take_post(const std::string& name) {
  if (!network_ || !network_->store->check({"post/" + name})) return std::nullopt;
  const auto text = network_->store->get("post/" + name);
  network_->store->deleteKey("post/" + name);
  return std::string(text.begin(), text.end());
}

double Communicator::take_seconds() {
  return network_ ? std::exchange(network_->seconds, 0.0) : 0.0;
}

Phase::Phase(Communicator& comm, std::string_view name, std::int64_t step)
    : comm_(comm), outer_(comm.place_) {
  comm_.enter({std::string(name), step, Clock::now()});
}

Phase::~Phase() {
  const auto& place = comm_.place_;
  if (comm_.recorder_)
    comm_.recorder_->add(
        place.phase, "",
        {0, 0, place.step, nanoseconds(place.since), nanoseconds(Clock::now()), -1});
  comm_.enter(std::move(outer_));
}

}  // namespace aha
