#include "trainer/comm/trace_file.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>

#include "trainer/core/json.h"

namespace aha {
namespace {

constexpr int kPhases = 1;  // threads of a process, to the viewer
constexpr int kCollectives = 2;
constexpr std::string_view kClosing = "\n]\n";

/// 1234567 ns -> "1234.567": exact, so that what is nested stays nested.
std::string microseconds(std::int64_t ns) {
  return fmt::format("{}{}.{:03}", ns < 0 ? "-" : "", std::abs(ns) / 1000, std::abs(ns) % 1000);
}

std::string quoted(const std::string& text) {
  return dump_line(Json(text));
}

/// A line that names something: an event of phase "M".
std::string named(const char* what, std::size_t rank, int thread, const std::string& arguments) {
  return fmt::format(R"({{"name":"{}","ph":"M","pid":{},"tid":{},"args":{{{}}}}})", what, rank,
                     thread, arguments);
}

std::string head_of(std::size_t rank, const TracedRank& one) {
  const auto clock = fmt::format("clock {:+.1f} us +- {:.1f} us to rank 0's",
                                 static_cast<double>(one.clock.add_ns) / 1e3,
                                 static_cast<double>(one.clock.error_ns) / 1e3);
  return named("process_name", rank, 0,
               R"("name":)" + quoted(fmt::format("rank {} ({})", rank, one.host))) +
         ",\n" + named("process_labels", rank, 0, R"("labels":)" + quoted(clock)) + ",\n" +
         named("process_sort_index", rank, 0, fmt::format(R"("sort_index":{})", rank)) + ",\n" +
         named("thread_name", rank, kPhases, R"("name":"phases")") + ",\n" +
         named("thread_name", rank, kCollectives, R"("name":"collectives")");
}

/// When the last rank came to each call, on rank 0's clock.
std::map<std::int64_t, std::int64_t> arrivals(std::span<const RecordedSpans> ranks,
                                              std::span<const TracedRank> clocks) {
  std::map<std::int64_t, std::int64_t> last;
  for (std::size_t r = 0; r < ranks.size(); ++r)
    for (const auto& span : ranks[r].spans)
      if (span.call >= 0) {
        const auto begin = span.begin_ns + clocks[r].clock.add_ns;
        const auto [place, is_new] = last.emplace(span.call, begin);
        if (!is_new) place->second = std::max(place->second, begin);
      }
  return last;
}

/// A span as events: one that other spans of its rank enclose or are enclosed by is one line; a collective
/// that ran beside the rank's work is the two ends of an asynchronous event, drawn on a row of its own.
std::string event_of(const TraceSpan& span, std::int64_t begin_ns, std::int64_t wait_ns,
                     std::size_t rank) {
  const bool collective = span.call >= 0;
  const std::int64_t length_ns = span.end_ns - span.begin_ns;
  std::string more;
  if (collective)
    more = fmt::format(R"(,"phase":{},"call":{},"wait_us":{})", quoted(span.phase), span.call,
                       microseconds(std::min(wait_ns, length_ns)));
  const auto what =
      fmt::format(R"("name":{},"cat":"{}","pid":{},"tid":{})", quoted(span.name),
                  collective ? "collective" : "phase", rank, collective ? kCollectives : kPhases);
  const auto arguments = fmt::format(R"("args":{{"step":{}{}}})", span.step, more);
  if (!span.beside)
    return fmt::format(
        ",\n"
        R"({{{},"ph":"X","ts":{},"dur":{},{}}})",
        what, microseconds(begin_ns), microseconds(length_ns), arguments);
  const auto id = fmt::format(R"("id":"{}.{}")", rank, span.call);
  return fmt::format(
      ",\n"
      R"({{{},"ph":"b",{},"ts":{},{}}})"
      ",\n"
      R"({{{},"ph":"e",{},"ts":{}}})",
      what, id, microseconds(begin_ns), arguments, what, id, microseconds(begin_ns + length_ns));
}

}  // namespace

TraceFile::TraceFile(std::filesystem::path path, std::span<const TracedRank> ranks,
                     std::int64_t most_bytes)
    : path_(std::move(path)),
      ranks_(ranks.begin(), ranks.end()),
      most_bytes_(most_bytes),
      origin_ns_(nanoseconds(Clock::now())),
      file_(path_, std::ios::binary | std::ios::trunc) {
  std::string text = "[\n";
  for (std::size_t r = 0; r < ranks_.size(); ++r)
    text += (r == 0 ? "" : ",\n") + head_of(r, ranks_[r]);
  append(text);
}

void TraceFile::write(std::span<const RecordedSpans> ranks) {
  if (ended_) return;
  const auto last = arrivals(ranks, ranks_);
  std::string events;
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    auto spans = ranks[r].spans;
    // what encloses comes first, where two begin at once
    std::stable_sort(spans.begin(), spans.end(), [](const TraceSpan& a, const TraceSpan& b) {
      return a.begin_ns != b.begin_ns ? a.begin_ns < b.begin_ns : a.end_ns > b.end_ns;
    });
    for (const auto& span : spans) {
      const auto begin = span.begin_ns + ranks_[r].clock.add_ns;
      const auto arrived = span.call >= 0 ? last.at(span.call) : begin;
      events += event_of(span, begin - origin_ns_, arrived - begin, r);
    }
    if (ranks[r].dropped > 0)
      spdlog::warn("log.trace: {} spans of rank {} found no room and are missing", ranks[r].dropped,
                   r);
  }
  if (size_ + static_cast<std::int64_t>(events.size()) > most_bytes_)
    return end(fmt::format("has {} MiB, as many as it may have", size_ >> 20));
  append(events);
}

void TraceFile::append(const std::string& events) {
  file_.seekp(size_);
  file_ << events << kClosing << std::flush;
  if (!file_) return end("cannot be written");
  size_ += static_cast<std::int64_t>(events.size());
}

void TraceFile::end(const std::string& why) {
  ended_ = true;
  spdlog::warn("log.trace: {} {}; the trace ends here, the run goes on", path_.string(), why);
}

}  // namespace aha
