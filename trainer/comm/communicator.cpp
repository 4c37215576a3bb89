#include "trainer/comm/communicator.h"

#include <ATen/ops/empty.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "trainer/comm/device_link.h"
#include "trainer/comm/neighbours.h"
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

/// Of texts of any length.
std::vector<std::string> gather_sent(c10d::Backend& group, const std::string& own, int ranks) {
  // most messages are short: their first part carries the length, and is all there is
  const auto firsts = gather_equal(group, first_part(own), ranks);
  std::size_t longest = 0;
  for (const auto& first : firsts)
    longest = std::max(longest, length_of(first));
  std::vector<std::string> rests(firsts.size());
  if (longest > kFirstPart) {
    std::string rest = own.size() > kFirstPart ? own.substr(kFirstPart) : std::string();
    rest.resize(longest - kFirstPart);
    rests = gather_equal(group, rest, ranks);
  }
  std::vector<std::string> result;
  for (std::size_t r = 0; r < firsts.size(); ++r)
    result.push_back(
        (firsts[r].substr(sizeof(std::size_t)) + rests[r]).substr(0, length_of(firsts[r])));
  return result;
}

}  // namespace

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

Communicator::~Communicator() {
  let_neighbours_finish();
}

/// Ranks that end together, with an error that all of them know, do not take from each other what told them of it.
void Communicator::let_neighbours_finish() {
  if (neighbours_ && last_told_ > 0) neighbours_->let_finish(last_told_);
  last_told_ = 0;
}

void Communicator::join_neighbours() {
  if (!network_) return;
  constexpr auto kName = "join_neighbours";
  auto own = std::make_unique<Neighbours>(rank(), timeout_s_);
  if (any(!own->reach(all_gather(own->introduction(), kName)), kName)) return own->withdraw();
  neighbours_ = std::move(own);
}

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
  let_neighbours_finish();
  network_->heartbeat.leave(why);
  // with rank 0 the place goes where the others read it
  if (leads())
    std::this_thread::sleep_for(std::chrono::duration<double>(3 * Heartbeat::kIntervalS));
}

void Communicator::finish() {
  if (!network_) return;
  barrier("finish");
  network_->run("finish", [&] {
    if (neighbours_) network_->group->barrier({})->wait();  // all have read what the first one said
    const std::string done = "done";
    auto& store = *network_->store;
    store.add(done, 1);
    // rank 0 keeps the store, and goes last
    while (leads() && store.add(done, 0) < size())
      ::usleep(10'000);
  });
  network_->finished = true;
  last_told_ = 0;  // all have read it
}

bool Communicator::stop_wanted(bool own) {
  if (!network_) return own;
  if (own) network_->heartbeat.want_stop();
  return own || network_->heartbeat.stop_wanted();
}

std::vector<std::string> Communicator::all_gather(const std::string& own, std::string_view name) {
  if (!network_) return {own};
  std::vector<std::string> result;
  collective(name, [&] {
    result =
        neighbours_ ? gather_among_neighbours(own) : gather_sent(*network_->group, own, size());
  });
  return result;
}

/// When every rank has posted a text, all have read the one before: two are kept, each in its place.
std::vector<std::string> Communicator::gather_among_neighbours(const std::string& own) {
  const auto call = calls_ + 1;
  std::string& kept = told_[turn_ ^= 1U];
  kept = own;
  neighbours_->post(call, kept.data(), kept.size());
  std::vector<std::string> result;
  for (int r = 0; r < size(); ++r) {
    const auto there = neighbours_->await(r, call);
    neighbours_->read(r, there.address, result.emplace_back(there.bytes, '\0').data(), there.bytes);
  }
  neighbours_->finish(call);
  last_told_ = call;
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
  if (network_) all_gather("", name);
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
  if (!network_) return;
  network_->ask("post", [&] { network_->store->set("post/" + name, bytes_of(text)); });
}

std::optional<std::string> Communicator::take_post(const std::string& name) {
  std::optional<std::string> text;
  if (!network_) return text;
  network_->ask("take_post", [&] {
    if (!network_->store->check({"post/" + name})) return;
    const auto bytes = network_->store->get("post/" + name);
    network_->store->deleteKey("post/" + name);
    text.emplace(bytes.begin(), bytes.end());
  });
  return text;
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
