#include "trainer/run/trace.h"

#include <fmt/format.h>

#include "trainer/comm/rendezvous.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

constexpr int kStepsAtOnce = 16;

/// Of the next start.
fs::path unused(const fs::path& folder) {
  for (int n = 1;; ++n)
    if (auto path = folder / fmt::format("trace_{}.json", n); !fs::exists(path)) return path;
}

}  // namespace

Trace::Trace(Communicator& comm, const fs::path& folder) : comm_(comm) {
  const auto hosts = comm.all_gather(host_name(), "start_trace");
  const auto clocks = comm.start_recording();
  if (!comm.leads()) return;
  std::vector<TracedRank> ranks;
  for (std::size_t r = 0; r < hosts.size(); ++r)
    ranks.push_back({hosts[r], clocks[r]});
  file_.emplace(unused(folder), ranks);
}

void Trace::step_done() {
  if (++steps_ % kStepsAtOnce == 0) flush();
}

void Trace::flush() {
  if (full_) return;
  const auto messages = comm_.take_spans();
  if (file_) {
    std::vector<RecordedSpans> ranks;
    ranks.reserve(messages.size());
    for (const auto& message : messages)
      ranks.push_back(read_spans(message));
    file_->write(ranks);
  }
  full_ = comm_.any(file_ && file_->ended(), "gather_trace");
  if (full_) comm_.stop_recording();
}

}  // namespace aha
