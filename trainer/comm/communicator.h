#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/comm/placement.h"
#include "trainer/comm/shards.h"

namespace aha {

struct CommOptions {
  double timeout_s = 600;   ///< of one collective: longer is a failure
  double heartbeat_s = 60;  ///< a rank without a sign of life for this long is dead
};

/// The ranks of a job and what they do together: collectives of c10d (Gloo between CPUs), a store at rank 0
/// for rendezvous, heartbeats and work queues.
///
/// Every rank calls the same collectives in the same order, from one thread. Each call has a name; with
/// `enter` it tells where a rank is when others wait for it. A collective that fails or takes longer than
/// `timeout_s`, and a rank that falls silent, end the process: CommError with one line that says which rank
/// is where (from the thread that keeps the heartbeat the process exits 75 with that line).
///
/// A job of one rank has no network: every collective returns at once.
class Communicator {
 public:
  /// A job of one rank.
  Communicator();
  /// Joins the others; returns when all are there. CommError when they do not come within `timeout_s`.
  Communicator(const Placement& placement, const CommOptions& options);
  /// Without `finish` before it the process group is left to its threads, which may be inside of a
  /// collective: the process is expected to end.
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return placement_.rank; }
  int size() const { return placement_.world_size; }
  bool leads() const { return rank() == 0; }

  /// What this rank does from here on, for the others' reports.
  void enter(std::string_view phase, std::int64_t step);
  /// Says why this rank ends. Without it the others report that it vanished.
  void leave(const std::string& why);
  /// All ranks are done: returns when each has said so, so that the store outlives the last question.
  void finish();
  /// Lets the others know that this rank wants to stop; true when any rank does. No collective: what it
  /// returns may differ between ranks, and is for leaving long work early.
  bool stop_wanted(bool own);

  /// Sums `buffer` over ranks in place; slices[r] is complete on rank r, the rest is undefined after.
  void reduce_to_owners(float* buffer, const std::vector<Slice>& slices, std::string_view name);
  void reduce_to_owners(std::int64_t* buffer, const std::vector<Slice>& slices,
                        std::string_view name);
  /// The reverse: slices[r] of rank r is copied to all ranks.
  void share_from_owners(float* buffer, const std::vector<Slice>& slices, std::string_view name);

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

  /// Leaves a text for another rank under a name of its own, from any thread; no collective.
  void post(const std::string& name, const std::string& text);
  /// Takes what was left under a name; nothing: not yet. From any thread. std::exception when rank 0 cannot
  /// be reached.
  std::optional<std::string> take_post(const std::string& name);

  /// Seconds spent in all of this since the last call, waiting for others included.
  double take_seconds();

 private:
  struct Network;
  Placement placement_;
  std::unique_ptr<Network> network_;  ///< null: one rank
  std::int64_t queue_ = 0;
  std::int64_t next_ = 0;  ///< of the queue, in a job of one rank
};

}  // namespace aha
