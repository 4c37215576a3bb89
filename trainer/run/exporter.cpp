#include "trainer/run/exporter.h"

#include "trainer/config/listen_address.h"
#include "trainer/core/error.h"
#include "trainer/core/version.h"
#include "trainer/metrics/prometheus.h"

namespace aha {
namespace {

ListenAddress parsed(const std::string& listen) {
  const auto address = listen_address(listen);
  check(address.has_value(), "log.prometheus was checked");
  return *address;
}

TextEndpoint endpoint_at(const ListenAddress& at, TextEndpoint::Page page) try {
  return {at.address, at.port, std::move(page)};
} catch (const UserError& error) {
  fail("log.prometheus: {}; choose another port, or leave it out", error.what());
}

void add_position(PrometheusText& text, const RunPosition& p, const TimeLeft& time_left) {
  if (p.stage.empty()) return;
  const PrometheusText::Labels stage{{"stage", p.stage}};
  text.add("aha_stage_index", "which of the job's stages is under way, from 0",
           static_cast<double>(p.stage_index), stage);
  text.add("aha_stages", "stages of the job", static_cast<double>(p.num_stages));
  text.add("aha_step", "steps of the stage that are done", static_cast<double>(p.step), stage);
  text.add("aha_stage_steps", "steps of the stage", static_cast<double>(p.total_steps), stage);
  text.add("aha_global_step", "steps of the job that are done", static_cast<double>(p.global_step));
  if (const auto left = time_left.seconds(p.total_steps - p.step))
    text.add("aha_time_left_seconds", "until the stage ends, by the median of the last steps",
             *left, stage);
}

void add_rank(PrometheusText& text, std::size_t rank, const Seen& seen) {
  const Activity& a = seen.activity;
  const auto number = std::to_string(rank);
  text.add("aha_rank_phase",
           "1: what a rank does; operation is the collective in which it waits for others", 1,
           {{"rank", number}, {"host", a.host}, {"phase", a.phase}, {"operation", a.operation}});
  const PrometheusText::Labels label{{"rank", number}};
  text.add("aha_rank_step", "global step that a rank is in", static_cast<double>(a.step), label);
  text.add("aha_rank_phase_seconds", "for how long, by its own clock", a.seconds, label);
  text.add("aha_rank_silent_seconds", "since a rank's last sign of life", seen.silent_s, label);
}

}  // namespace

Exporter::Exporter(const std::string& listen, const Communicator& comm)
    : comm_(comm),
      listen_(listen),
      endpoint_(endpoint_at(parsed(listen),
                            {kPath, PrometheusText::kContentType, [this] { return page(); }})) {}

std::string Exporter::url() const {
  auto address = parsed(listen_);
  address.port = endpoint_.port();
  return fmt::format("http://{}{}", address.text(), kPath);
}

void Exporter::set(const RunPosition& position) {
  const std::lock_guard lock(mutex_);
  position_ = position;
}

void Exporter::set(const MetricsRow& row) {
  const std::lock_guard lock(mutex_);
  if (!latest_ || latest_->stage() != row.stage()) {
    latest_ = row;
    time_left_ = {};
  } else {
    latest_->add(row.entries());  // what this row lacks, an evaluation say, stays as it was
  }
  if (const auto seconds = row.get("step_time")) time_left_.add(*seconds);
}

std::string Exporter::page() const {
  PrometheusText text;
  text.add("aha_build_info", "1: the program that runs", 1,
           {{"version", kVersion}, {"compiler", __VERSION__}});
  const auto ranks = comm_.ranks();
  for (std::size_t r = 0; r < ranks.size(); ++r)
    add_rank(text, r, ranks[r]);
  const std::lock_guard lock(mutex_);
  add_position(text, position_, time_left_);
  if (latest_) text.add(*latest_);
  return text.text();
}

}  // namespace aha
