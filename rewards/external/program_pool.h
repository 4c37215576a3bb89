#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "rewards/external/program_copy.h"
#include "rewards/reward.h"

namespace aha {

struct PoolOptions {
  std::string label;  ///< "reward 'command'", for the log
  std::filesystem::path program;
  std::vector<std::string> arguments;  ///< without the program
  std::int64_t copies = 1;
  std::int64_t in_flight = 1;  ///< requests that a copy has at most before it answers one
  double answer_limit_s = 10;  ///< for an answer, and for a copy to be free
  double start_limit_s = 60;   ///< from a copy's start to its greeting
  std::int64_t retries = 1;    ///< of a request whose copy ended
};

/// Copies of a scorer program that live as long as this does, and the thread that talks to them.
///
/// A request goes to the copy with the fewest. A copy that ends, breaks the protocol, or keeps a request
/// longer than the time limit is ended and started again, after 0.1 s, 0.2 s, ... 10 s while it fails; a
/// right answer makes it trusted again. Requests that it had go to another copy: of one that kept a request too long
/// all but that one; else each is asked `retries` times more. What gets no answer cannot be judged, and
/// the reason says why. While every copy
/// has failed to greet three times in a row, requests are not kept waiting.
///
/// `ask` may be called from many threads. Scores do not depend on which copy answers, if the scorer's do
/// not.
class ProgramPool {
 public:
  /// Returns when every copy has greeted. UserError when one cannot be started, ends before, or says
  /// anything else.
  explicit ProgramPool(PoolOptions options);
  /// Closes the inputs, gives the copies a second to end, and ends what is left.
  ~ProgramPool();
  ProgramPool(const ProgramPool&) = delete;
  ProgramPool& operator=(const ProgramPool&) = delete;

  /// Waits for the answer. An attempt without an id gets a number.
  RewardPart ask(const Attempt& attempt);

 private:
  using Time = std::chrono::steady_clock::time_point;

  /// A request on its way. Lives on the stack of the one who asks.
  struct Request {
    std::string id;
    std::string text;
    Time until;  ///< for a copy to be free, then for its answer
    std::int64_t tries = 0;
    std::optional<RewardPart> answer;
  };
  struct Copy {
    explicit Copy(ProgramStart start) : program(std::move(start)) {}
    ProgramCopy program;
    bool greeted = false;
    Time until;             ///< running: to greet until then; else: when to start it
    int failures = 0;       ///< since its last answer
    int failed_starts = 0;  ///< since its last greeting
    std::map<std::string, Request*> asked;  ///< by id
  };

  void work();
  bool take_requests();
  void start(Copy& copy);
  void listen(Copy& copy);
  void hear(Copy& copy, const std::string& line);
  void look_at_clock(Copy& copy);
  void put_down(Copy& copy, const std::string& why, const Request* slow = nullptr);
  void hand_out();
  Copy* free_copy(const std::string& id);
  void answer(Request& request, RewardPart part);
  void refuse(Request& request, const std::string& why);
  bool hopeless() const;
  void tell_of_start();
  void wait_for_news();
  Time next_event() const;
  void end_all();
  void ring();

  const PoolOptions options_;
  OwnedFile bell_;  ///< rung when there is a request, or an end
  std::mutex mutex_;
  std::condition_variable answered_;
  std::deque<Request*> arrived_;  ///< guarded, as are the next three and every answer
  bool started_ = false;          ///< all copies have greeted, or one has failed to
  std::string start_problem_;
  bool stop_ = false;
  std::atomic<std::uint64_t> numbered_{0};

  // the thread's own
  std::vector<std::unique_ptr<Copy>> copies_;
  std::deque<Request*> waiting_;
  std::string last_failure_;
  std::thread thread_;
};

}  // namespace aha
