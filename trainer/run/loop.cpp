#include "trainer/run/loop.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <iostream>

#include "trainer/config/dump.h"
#include "trainer/core/clock.h"
#include "trainer/core/error.h"
#include "trainer/core/log.h"
#include "trainer/core/text.h"
#include "trainer/metrics/console.h"
#include "trainer/run/agreement.h"
#include "trainer/run/best_metric.h"
#include "trainer/run/evaluate.h"
#include "trainer/run/exporter.h"
#include "trainer/run/journal.h"
#include "trainer/run/preflight.h"
#include "trainer/run/rank_devices.h"
#include "trainer/run/rehearsal.h"
#include "trainer/run/run_folder.h"
#include "trainer/run/sample_advice.h"
#include "trainer/run/saver.h"
#include "trainer/run/sft.h"
#include "trainer/run/shared_reader.h"
#include "trainer/run/stage_state.h"
#include "trainer/run/status_file.h"
#include "trainer/run/step.h"
#include "trainer/run/stop_request.h"
#include "trainer/run/trace.h"
#include "trainer/run/update.h"

namespace aha {
namespace {

double peak_memory_gib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1024.0 * 1024.0);
}

ConsoleOptions console_options(const TrainOptions& options) {
  return options.progress ? ConsoleOptions::of_stderr() : ConsoleOptions{};
}

/// The configuration with "0: all cores" replaced by this rank's share. Not what is written: another
/// start may have other cores.
Config on_these_cores(Config config, const Placement& placement) {
  for (auto& stage : config.stages)
    for (auto* threads : {&stage.train.threads, &stage.reward.threads})
      if (*threads == 0) *threads = placement.cores;
  return config;
}

/// Abandons the devices' network when an error ends it: memory that collectives are at work on could not be given back.
class AbandonOnError {
 public:
  explicit AbandonOnError(Communicator& comm) : comm_(comm) {}
  AbandonOnError(const AbandonOnError&) = delete;
  AbandonOnError& operator=(const AbandonOnError&) = delete;
  ~AbandonOnError() {
    if (std::uncaught_exceptions() > errors_) comm_.abandon_devices();
  }

 private:
  Communicator& comm_;
  const int errors_ = std::uncaught_exceptions();
};

/// A job under way. Every rank has one, and all take the same way through it; what is written or said, rank 0
/// writes and says.
class Job {
 public:
  Job(const Config& config, const TrainOptions& options, Communicator& comm)
      : config_(on_these_cores(config, options.placement)),
        comm_(comm),
        machine_(config_.stages.front().train.threads, device_ops(config_.device), config_.strict),
        policy_(make_policy(config_, machine_, &comm)),
        saver_(comm, std::filesystem::path(config.output_dir) / "checkpoints") {
    const auto& log = config.stages.front().log;
    if (comm_.leads() && !log.prometheus.empty()) exporter_.emplace(log.prometheus, comm_);
    choose_start(config, options.resume);
    if (comm_.leads()) {
      console_.emplace(std::cerr, console_options(options));
      log_to_file(folder_->path() / "log.txt");
      if (exporter_) spdlog::info("metrics for Prometheus: {}", exporter_->url());
      status_.emplace(folder_->path(), comm_);
    }
    if (log.trace) trace_.emplace(comm_, folder_ ? folder_->path() : std::filesystem::path());
    if (start_) resume();
    committed_.config = settled_values(config);
  }

  /// What it runs on, which `device: auto` does not tell.
  std::string device_text() const {
    const std::string_view kernels = machine_.ops.name;
    const int threads = machine_.pool.threads();
    if (kernels == "cuda")
      return comm_.size() == 1 ? "cuda" : fmt::format("cuda, {} ranks on a GPU each", comm_.size());
    return fmt::format("cpu ({} kernels), {} rank{} x {} thread{}", kernels, comm_.size(),
                       comm_.size() == 1 ? "" : "s", threads, threads == 1 ? "" : "s");
  }

  JobEnd run() {
    for (auto index = static_cast<std::uint32_t>(committed_.stage_index);
         index < config_.stages.size(); ++index) {
      begin_stage(index);
      const auto end = run_stage();
      if (trace_) trace_->flush();
      if (end == JobEnd::Stopped) return ended(end);
      stage_.reset();
    }
    saver_.finish();
    return ended(JobEnd::Done);
  }

 private:
  JobEnd ended(JobEnd end) {
    if (status_) status_->end(end == JobEnd::Done ? "done" : "stopped");
    return end;
  }

  /// Rank 0 decides what the run goes on from; the others read the same checkpoint.
  void choose_start(const Config& config, const std::string& resume) {
    SharedReader reader(comm_, policy_.layout);
    if (!comm_.leads()) {
      start_ = reader.follow();
      return;
    }
    folder_.emplace(config, resume, [&](const auto& folder) { return reader.read(folder); });
    start_ = folder_->take_start();
    reader.end();
  }

  bool stop_agreed() {
    return comm_.any(comm_.stop_wanted(StopRequest::wanted()), "agree_on_stop");
  }

  void resume() {
    committed_ = start_->state;
    if (comm_.any(comm_.leads() && folder_->owns(start_->folder), "start_is_own"))
      saver_.set_saved(committed_);
    spdlog::info("resuming {} after step {} of stage {}", start_->folder.string(), committed_.step,
                 committed_.stage);
    if (committed_.cpu_body != machine_.ops.name)
      spdlog::warn("the checkpoint was made by the {} kernels, this machine runs {}",
                   committed_.cpu_body, machine_.ops.name);
  }

  void begin_stage(std::uint32_t index) {
    stage_ = make_stage(config_, index, machine_, policy_, comm_);
    Stage& s = *stage_;
    s.global_step = committed_.global_step;
    words_.emplace(s.settings.log.reflection_words);
    resumed_ = start_.has_value();
    if (resumed_) restore_stage(s, *start_);
    rehearse(s);
    if (comm_.leads() && !journal_) open_journal();
    if (!resumed_) return;
    start_.reset();
    note_position();
  }

  /// What the run wrote after its start is given up here and not before: all that could be wrong is known.
  void open_journal() {
    journal_.emplace(folder_->path(),
                     start_ ? start_->state.offsets : std::map<std::string, std::int64_t>{},
                     config_.stages.front().log.tensorboard);
    if (start_ && folder_->owns(start_->folder))
      go_back_to(folder_->checkpoints(), start_->state.global_step);
  }

  JobEnd run_stage() {
    Stage& s = *stage_;
    if (!resumed_) {
      MetricsRow row(s.settings.name, 0, s.global_step);
      if (evaluate_into(row)) {
        require_best_metric(s.settings, row);  // before the first step, not after many
        write(row);
      }
      commit();
    }
    while (s.step < s.total_steps) {
      const Phase phase(comm_, "loop", s.global_step + 1);
      saver_.look();
      if (stop_agreed()) return stop();
      MetricsRow row(s.settings.name, s.step + 1, s.global_step + 1);
      if (!one_step(row)) return stop();
      const bool last = s.step == s.total_steps;
      const auto every = s.settings.eval.eval_steps;
      bool best = false;
      if (last || (every > 0 && s.step % every == 0)) {
        evaluate_into(row);
        best_ = better_value(s.settings, row, unjudged_, committed_.best_metric);
        best = best_.has_value();
      }
      if (saved_s_ > 0) row.set("timing_s/save", std::exchange(saved_s_, 0.0));
      write(row);
      commit();
      const auto save_every = s.settings.checkpoint.save_steps;
      if (last || best || (save_every > 0 && s.step % save_every == 0)) save();
      if (trace_) trace_->step_done();
    }
    return s.index + 1 < config_.stages.size() && stop_agreed() ? stop() : JobEnd::Done;
  }

  /// One training step. False when a signal made it end early: it is then as if it had not begun.
  bool one_step(MetricsRow& row) {
    Stage& s = *stage_;
    const auto start = Clock::now();
    const auto cancelled = [&] {
      return comm_.stop_wanted(StopRequest::wanted()) &&
             s.typical_step_s - seconds_since(start) > s.settings.checkpoint.grace_s;
    };
    const auto before = snapshot_of(s);
    const auto tokens_before = s.num_tokens;
    comm_.take_seconds();  // of what came before the step
    try {
      if (s.settings.method == "sft") {
        sft_step(s, row);
      } else {
        const auto result = grpo_step(s, row, *words_, cancelled);
        if (!result) return false;
        ++s.step, ++s.global_step;
        if (journal_) journal_->write_train(s, result->groups, result->advantages);
        --s.step, --s.global_step;
      }
    } catch (const NotFinite&) {
      save_state_before(before);
      throw;
    } catch (const Unjudged&) {
      save_state_before(before);
      throw;
    }
    ++s.step;
    ++s.global_step;
    const double seconds = seconds_since(start);
    s.typical_step_s = s.typical_step_s == 0 ? seconds : 0.8 * s.typical_step_s + 0.2 * seconds;
    row.set("step_time", seconds);
    if (comm_.size() > 1) row.set("timing_s/comm", comm_.take_seconds());
    row.set("perf/tokens_per_s", static_cast<double>(s.num_tokens - tokens_before) / seconds);
    row.set("perf/cpu_memory_used_gb", peak_memory_gib());
    return true;
  }

  /// After a step that must not be taken, which every rank knows.
  void save_state_before(const std::optional<Snapshot>& before) {
    undo(*stage_, before);
    try {
      save_and_wait();
    } catch (const UserError& error) {
      spdlog::error("{}", error.what());  // what refused the step is the news
    }
  }

  /// Adds every evaluation set's metrics to the row. False when there is nothing to evaluate with.
  bool evaluate_into(MetricsRow& row) {
    Stage& s = *stage_;
    if (!s.scorer || s.data.eval.empty()) return false;
    const auto start = Clock::now();
    const Phase phase(comm_, "evaluate", s.global_step);
    const EvalPlan plan = eval_plan(s, *words_);
    for (const auto& set : s.data.eval) {
      const auto result = evaluate({s.engine, *s.scorer, comm_, policy_.weights.get()}, set, plan);
      row.add(result.values, set.prefix);
      unjudged_[set.prefix] = result.unjudged;
      if (!comm_.leads()) continue;
      journal_->write_eval(s, set, result.groups);
      if (s.step == 0 && !result.groups.empty()) console_->line(sample_line(result.groups.front()));
    }
    row.set("timing_s/eval", seconds_since(start));
    return true;
  }

  void write(const MetricsRow& row) {
    if (!comm_.leads()) return;
    journal_->write(row);
    if (exporter_) exporter_->set(row);
    const auto every = std::max<std::int64_t>(1, stage_->settings.log.logging_steps);
    const bool evaluated = row.get("eval_accuracy").has_value();
    if (row.step() > 0 &&
        (row.step() % every == 0 || row.step() == stage_->total_steps || evaluated))
      console_->step(row, stage_->total_steps);
    if (evaluated) console_->evaluation(row, stage_->total_steps);
  }

  /// Makes the present the state that a checkpoint would hold.
  void commit() {
    note_state(*stage_, committed_);
    if (best_) {
      committed_.best_metric = std::exchange(best_, std::nullopt);
      committed_.best_global_step = committed_.global_step;
    }
    if (journal_) committed_.offsets = journal_->offsets();
    note_position();
  }

  void note_position() {
    if (!status_) return;
    const Stage& s = *stage_;
    const RunPosition position{
        s.settings.name, s.index,       static_cast<std::int64_t>(config_.stages.size()),
        s.step,          s.total_steps, s.global_step};
    status_->set(position);
    if (exporter_) exporter_->set(position);
  }

  void save() {
    const auto start = Clock::now();
    saver_.wait();  // before another copy of all is made
    const std::function<void()> sync = [&] { journal_->sync(); };
    Saver::Request request{stage_->settings.checkpoint, checkpoint_parts(*stage_), committed_,
                           sync};
    saver_.save(std::move(request));
    saved_s_ = seconds_since(start);
  }

  /// The committed state is on the disk when it returns.
  void save_and_wait() {
    saver_.wait();
    if (saver_.saved_at() != committed_.global_step) save();
    saver_.finish();
  }

  JobEnd stop() {
    save_and_wait();
    const int signal = StopRequest::signal();
    spdlog::info("stopped by {} after step {} of stage {}; go on with --resume auto",
                 signal != 0 ? fmt::format("signal {}", signal) : "a signal to another rank",
                 committed_.step, committed_.stage);
    return JobEnd::Stopped;
  }

  const Config config_;
  Communicator& comm_;
  StopRequest stop_request_;
  Machine machine_;
  Policy policy_;
  std::optional<RunFolder> folder_;  ///< rank 0's, as are journal and console
  std::optional<LoadedCheckpoint> start_;
  std::optional<Journal> journal_;
  std::optional<Console> console_;
  std::optional<StatusFile> status_;
  std::optional<Exporter> exporter_;
  std::optional<Trace> trace_;
  std::optional<ReflectionWords> words_;
  std::unique_ptr<Stage> stage_;
  TrainerState committed_;
  UnjudgedShares unjudged_;  ///< of the last evaluation
  std::optional<double> best_;
  bool resumed_ = false;  ///< the present stage goes on from a checkpoint: its step 0 is written
  double saved_s_ = 0;
  Saver saver_;
  AbandonOnError abandon_{comm_};  ///< the last: it ends before what holds memory
};

JobEnd run_on(const Config& config, const TrainOptions& options, Communicator& comm) {
  require_agreement(comm, config);
  if (config.stages.front().comm.read_memory) comm.join_neighbours();
  const JobRanks ranks{comm.size(), options.placement.local_world_size, comm.among_neighbours(),
                       take_devices(comm, config, options.placement)};
  std::vector<std::string> plan;
  if (comm.leads())  // writes nothing: it comes first
    plan = plan_lines(config, preflight(on_these_cores(config, options.placement), ranks));
  require_scorers(comm, comm.leads() ? "" : scorer_problem(config));  // rank 0's were just seen
  join_devices(comm, config);
  Job job(config, options, comm);
  for (const auto& line : plan)
    spdlog::info("{}", line);
  if (comm.leads()) spdlog::info("device     {}", job.device_text());
  return job.run();
}

}  // namespace

JobEnd run_job(const Config& config, const TrainOptions& options) {
  const auto& comm_settings = config.stages.front().comm;
  Communicator comm(options.placement, {comm_settings.timeout_s, comm_settings.heartbeat_s});
  try {
    const JobEnd end = run_on(config, options, comm);
    comm.finish();
    return end;
  } catch (const CommError&) {
    comm.leave("lost another rank");  // which one, every rank sees by itself
    throw;
  } catch (const std::exception& error) {
    comm.leave(error.what());
    throw;
  }
}

}  // namespace aha
