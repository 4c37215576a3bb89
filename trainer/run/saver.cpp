#include "trainer/run/saver.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "trainer/core/clock.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

/// Where other ranks may never do their part: this job ends.
constexpr double kPatienceS = 2.0;

/// Of what training goes on to change.
void detach(CheckpointParts& parts, bool leads) {
  auto& optimizer = parts.optimizer;
  optimizer.moments = {optimizer.moments.exp_avg.clone(), optimizer.moments.exp_avg_sq.clone()};
  if (leads && !parts.copied) parts.values = parts.values.clone();
  if (!optimizer.master.defined()) return;
  const Slice own = optimizer.own();
  optimizer.master = leads ? parts.values.slice(0, own.begin, own.end) : optimizer.master.clone();
}

}  // namespace

/// One save.
struct Saver::Work {
  explicit Work(Request&& of, std::int64_t id) : request(std::move(of)), number(id) {}

  std::string key(int rank) const { return fmt::format("checkpoint/{}/{}", number, rank); }

  Request request;
  std::int64_t number;
  std::filesystem::path partial;
  std::string error;       ///< rank 0's: why there is no checkpoint
  std::exception_ptr bug;  ///< what was no error of the disk
  std::atomic<bool> done = false;
  std::thread thread;
};

Saver::Saver(Communicator& comm, std::filesystem::path checkpoints)
    : comm_(comm), checkpoints_(std::move(checkpoints)) {}

Saver::~Saver() {
  ending_ = true;
  if (!work_) return;
  if (work_->thread.joinable()) work_->thread.join();
  if (!work_->error.empty()) spdlog::error("{}", work_->error);
}

void Saver::save(Request request) {
  wait();
  work_ = std::make_unique<Work>(std::move(request), count_++);
  Work& work = *work_;
  const auto step = work.request.state.global_step;
  const Phase phase(comm_, "checkpoint", step);
  work.partial = partial_path(checkpoints_, step);
  if (comm_.leads()) try {
      work.request.prepare();
      begin_checkpoint(checkpoints_, step);
    } catch (const UserError& error) {
      work.error = error.what();
    }
  work.error = comm_.broadcast(work.error, "begin_checkpoint");
  saved_at_ = step;
  if (!work.error.empty()) return wait();
  if (!work.request.settings.async) {
    run(work);
    return wait();
  }
  detach(work.request.parts, comm_.leads());
  work.thread = std::thread([this, &work] { run(work); });
}

void Saver::run(Work& work) {
  try {
    comm_.leads() ? write_shared(work) : write_shard(work);
  } catch (const UserError& error) {
    work.error = error.what();
  } catch (const std::filesystem::filesystem_error& error) {
    work.error = error.what();
  } catch (...) {
    work.bug = std::current_exception();
  }
  work.done = true;
}

void Saver::write_shared(Work& work) {
  const auto& [settings, parts, state, prepare] = work.request;
  finish_checkpoint(work.partial, parts, state, [&, &own = parts] {
    Checksums checksums = write_own_part(work.partial, own);
    for (int rank = 1; rank < comm_.size(); ++rank)
      checksums.add(shard_of(work, rank));
    return checksums;
  });
  std::error_code error;
  if (state.best_metric &&
      std::filesystem::exists(checkpoint_path(checkpoints_, state.best_global_step), error))
    best_at_ = state.best_global_step;
  prune_checkpoints(checkpoints_, settings.save_total_limit, best_at_);
}

void Saver::set_saved(const TrainerState& state) {
  saved_at_ = whole_at_ = state.global_step;
  if (state.best_metric) best_at_ = state.best_global_step;
}

/// Its checksums go to rank 0 behind a '+', or why there are none behind a '-'.
void Saver::write_shard(Work& work) {
  std::string message;
  try {
    message = "+" + write_own_part(work.partial, work.request.parts).text();
  } catch (const std::exception& error) {
    message = std::string("-") + error.what();
    if (dynamic_cast<const UserError*>(&error) == nullptr) work.bug = std::current_exception();
  }
  comm_.post(work.key(comm_.rank()), message);
}

Checksums Saver::shard_of(const Work& work, int rank) const {
  std::optional<Clock::time_point> end;
  for (;;) {
    if (const auto message = comm_.take_post(work.key(rank))) {
      if (message->starts_with('-')) fail("rank {}: {}", rank, message->substr(1));
      return Checksums::from_text(message->substr(1), fmt::format("the shard of rank {}", rank));
    }
    if (ending_ && !end) end = Clock::now();
    if (end && seconds_since(*end) > kPatienceS)
      fail("the checkpoint of step {} is not whole: rank {} has not written its shard",
           work.request.state.global_step, rank);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void Saver::look() {
  if (work_ && comm_.any(comm_.leads() && work_->done, "look_at_checkpoint")) wait();
}

void Saver::wait() {
  if (!work_) return;
  Work& work = *work_;
  const Phase phase(comm_, "checkpoint", work.request.state.global_step);
  if (work.thread.joinable()) work.thread.join();
  if (work.bug) std::rethrow_exception(std::exchange(work.bug, nullptr));
  const std::string error = comm_.broadcast(work.error, "finish_checkpoint");
  note(error, work);
}

void Saver::note(const std::string& error, const Work& work) {
  const auto limit = work.request.settings.max_failed_saves;
  const auto step = work.request.state.global_step;
  work_.reset();
  if (error.empty()) {
    whole_at_ = step;
    failed_ = 0;
    return;
  }
  saved_at_ = whole_at_;
  last_error_ = error;
  ++failed_;
  if (failed_ >= limit) finish();
  spdlog::error(
      "the checkpoint of step {} could not be written: {}; training goes on, the next save tries "
      "again ({} of at most {} failures in a row)",
      step, error, failed_, limit);
}

void Saver::finish() {
  wait();
  if (failed_ == 0) return;
  fail(
      "{}\nno checkpoint could be written {}; make room in {} (or let it be written) and go on "
      "with --resume auto: {}",
      last_error_, failed_ == 1 ? "at the last try" : fmt::format("{} times in a row", failed_),
      checkpoints_.string(),
      whole_at_ < 0 ? "there is no checkpoint yet"
                    : fmt::format("the last one is of step {}", whole_at_));
}

}  // namespace aha
