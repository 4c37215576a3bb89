#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "trainer/comm/clock_offset.h"
#include "trainer/comm/health.h"
#include "trainer/comm/placement.h"
#include "trainer/comm/shards.h"
#include "trainer/comm/spans.h"
#include "trainer/core/parallel.h"

namespace aha {

class DeviceLink;
class Heartbeat;
class Neighbours;
struct DeviceNetwork;

/// Whose memory a buffer of a collective is in.
enum class Side {
  Host,
  Device  ///< of the rank (join_devices)
};

/// A collective under way on buffers of this rank. One that is not waited for leaves behind what the network's threads may
/// still use.
class Transfer {
 public:
  Transfer();
  ~Transfer();
  Transfer(Transfer&&) noexcept;
  Transfer& operator=(Transfer&&) noexcept;

 private:
  friend class Communicator;
  struct State;
  std::unique_ptr<State> state_;  ///< null: nothing to wait for
};

struct CommOptions {
  double timeout_s = 600;   ///< of one collective: longer is a failure
  double heartbeat_s = 60;  ///< a rank without a sign of life for this long is dead
};

/// The ranks of a job and what they do together: collectives of c10d (Gloo between CPUs), or on one machine by reading
/// each other's memory; a store at rank 0 for rendezvous, heartbeats and work queues; and, of the memory of their
/// devices, the collectives that a device's table offers.
///
/// Every rank calls the same collectives in the same order, from one thread. Each call has a name; with
/// `Phase` it tells where a rank is when others wait for it. A collective that fails or takes longer than
/// `timeout_s`, and a rank that falls silent, end the process: CommError with one line that says which rank
/// is where (from the thread that keeps the heartbeat the process exits 75 with that line).
///
/// A job of one rank has no network: every collective returns at once.
class Communicator {
 public:
  /// One rank that nobody watches.
  Communicator();
  /// Joins the others, if there are any; returns when all are there. CommError when they do not come within `timeout_s`.
  Communicator(const Placement& placement, const CommOptions& options);
  /// Without `finish` before it the process group is left to its threads, which may be inside of a
  /// collective: the process is expected to end.
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return placement_.rank; }
  int size() const { return placement_.world_size; }
  bool leads() const { return rank() == 0; }

  /// What all ranks do, as far as this one has heard; empty in a job that nobody watches.
  std::vector<Seen> ranks() const;
  /// Says why this rank ends. Without it the others report that it vanished.
  void leave(const std::string& why);
  /// All ranks are done: returns when each has said so, so that the store outlives the last question.
  void finish();
  /// Lets the others know that this rank wants to stop; true when any rank does. No collective: what it
  /// returns may differ between ranks, and is for leaving long work early.
  bool stop_wanted(bool own);

  /// From here on ranks of one machine fetch from each other's memory, if each may read every other's (Neighbours); the
  /// sums have the same bits. Collective.
  void join_neighbours();
  /// From here on buffers may be the devices' memory; `network` is open. Collective. CommError when the devices do not find each other within
  /// `timeout_s`.
  void join_devices(const DeviceNetwork& network);
  /// Ends what is under way on this rank's device: the job is about to end with an error. What is released before it is
  /// kept, as freeing it would wait for other ranks.
  void abandon_devices();

  /// Begins to sum `buffer` over ranks in place: after `wait`, slices[r] is complete on rank r and the rest is
  /// undefined. The network's threads send meanwhile, or the device does it, when it has done what it was asked before; slices
  /// may be parts of a buffer. `room` is a host's memory for what the others send, room_for(slices) elements; a device needs
  /// none. Neighbours fetch and add in `wait`.
  [[nodiscard]] Transfer reduce_to_owners(float* buffer, const std::vector<Slice>& slices,
                                          float* room, std::string_view name,
                                          Side side = Side::Host);
  [[nodiscard]] Transfer reduce_to_owners(std::int64_t* buffer, const std::vector<Slice>& slices,
                                          std::int64_t* room, std::string_view name,
                                          Side side = Side::Host);
  /// The own slice, from every other rank; neighbours need none.
  std::int64_t room_for(const std::vector<Slice>& slices) const {
    return neighbours_ ? 0 : (size() - 1) * slices[static_cast<std::size_t>(rank())].size();
  }
  /// All ranks read each other's memory: what a collective of a host's memory copies, nobody sends.
  bool among_neighbours() const { return neighbours_ != nullptr; }
  /// The reverse: slices[r] of rank r is copied to all ranks. Elements are copied as they are.
  [[nodiscard]] Transfer share_from_owners(float* buffer, const std::vector<Slice>& slices,
                                           std::string_view name, Side side = Side::Host);
  [[nodiscard]] Transfer share_from_owners(std::uint16_t* buffer, const std::vector<Slice>& slices,
                                           std::string_view name, Side side = Side::Host);
  /// Returns when it is done, which every transfer has to be before its buffer goes. Parts of a sum are added here, by the
  /// team. Transfers are waited for in the same order by all ranks.
  void wait(Transfer transfer, const Exec& exec = {});

  /// The bytes of every rank, in rank order.
  std::vector<std::string> all_gather(const std::string& own, std::string_view name);
  /// Rank 0's bytes.
  std::string broadcast(const std::string& own, std::string_view name);
  /// True when any rank says so.
  bool any(bool own, std::string_view name);
  void barrier(std::string_view name);

  /// Begins a new queue of numbers from 0. Every rank calls it as often, which is how they mean the same.
  void open_queue() {
    ++queue_;
    next_ = 0;
  }
  /// The next `count` numbers of the queue, of which this is the first: each is given to one rank once. No
  /// collective.
  std::int64_t claim(std::int64_t count = 1);

  /// From here on phases and collectives are noted. Collective; returns how each rank's clock stands to rank 0's.
  std::vector<ClockOffset> start_recording();
  /// What each rank did since the last call, as messages for read_spans. Collective.
  std::vector<std::string> take_spans();
  void stop_recording() { recorder_.reset(); }

  /// Leaves a text for another rank under a name of its own, from any thread; no collective. CommError when rank 0 cannot be
  /// reached.
  void post(const std::string& name, const std::string& text);
  /// Takes what was left under a name; nothing: not yet. From any thread, and the same error.
  std::optional<std::string> take_post(const std::string& name);

  /// Seconds spent in all of this since the last call, waiting for others included.
  double take_seconds();

 private:
  friend class Phase;
  struct Network;
  /// Where this rank is.
  struct Place {
    std::string phase = "start";
    std::int64_t step = 0;
    Clock::time_point since = Clock::now();
  };
  void enter(Place place);
  /// Network::run, noted.
  template <class Body>
  void collective(std::string_view name, Body&& body);
  enum class Kind { Sum, Copy };
  /// Starts what has to be done for each slice that holds something. `room` is a host's, of a sum.
  template <class T>
  Transfer begin(Kind kind, T* buffer, const std::vector<Slice>& slices,
                 std::type_identity_t<T>* room, std::string_view name, Side side);
  std::vector<std::string> gather_among_neighbours(const std::string& own);
  void let_neighbours_finish();
  std::vector<std::uint64_t> buffers_of_neighbours(std::int64_t call) const;
  template <class T>
  void begin_among_neighbours(Transfer& transfer, Kind kind, T* buffer,
                              const std::vector<Slice>& slices);
  template <class T>
  void begin_sum_on_host(Transfer& transfer, T* buffer, const std::vector<Slice>& slices, T* room);
  template <class T>
  void begin_copy_on_host(Transfer& transfer, T* buffer, const std::vector<Slice>& slices);
  template <class T>
  void begin_on_device(Transfer& transfer, Kind kind, T* buffer, const std::vector<Slice>& slices);

  Placement placement_;
  double timeout_s_ = 0;
  Place place_;
  std::optional<SpanRecorder> recorder_;
  std::int64_t calls_ = 0;                  ///< collectives so far
  std::unique_ptr<Heartbeat> heartbeat_;    ///< null: nobody listens
  std::unique_ptr<Network> network_;        ///< null: one rank
  std::unique_ptr<DeviceLink> devices_;     ///< null: not joined
  std::unique_ptr<Neighbours> neighbours_;  ///< null: what ranks have for each other is sent
  std::array<std::string, 2> told_;         ///< the last texts, of which neighbours may still read
  std::size_t turn_ = 0;                    ///< of them, whose is next
  std::int64_t last_told_ = 0;              ///< the call of the last; 0: none that is still needed
  std::int64_t queue_ = 0;
  std::int64_t next_ = 0;  ///< of the queue, in a job of one rank
};

/// What this rank does while the object lives, for the others' reports and for the trace; then it goes on with what
/// it did before.
class Phase {
 public:
  Phase(Communicator& comm, std::string_view name, std::int64_t step);
  /// A part of the phase under way.
  Phase(Communicator& comm, std::string_view name) : Phase(comm, name, comm.place_.step) {}
  ~Phase();
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

 private:
  Communicator& comm_;
  Communicator::Place outer_;
};

}  // namespace aha
