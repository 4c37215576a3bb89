#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "trainer/comm/clock_offset.h"
#include "trainer/comm/spans.h"

namespace aha {

/// A rank as it stands at the head of a trace.
struct TracedRank {
  std::string host;
  ClockOffset clock;
};

/// What all ranks did, as a file that ui.perfetto.dev and chrome://tracing show: JSON, an array in the "Trace
/// Event Format". A process is a rank; its first thread has the phases, nested, its second the collectives, with
/// how long each waited for the last rank to come (`wait_us`). Times are microseconds of rank 0's clock since the
/// file was begun.
///
/// The file is a whole JSON text after each `write`. It grows to `most_bytes` and then no more. Nothing of this is
/// worth a run: what the disk refuses is warned of, once, and the trace ends there.
class TraceFile {
 public:
  TraceFile(std::filesystem::path path, std::span<const TracedRank> ranks,
            std::int64_t most_bytes = 256 << 20);

  /// Adds what each rank did. A collective of one `call` number must be in one `write` for all ranks.
  void write(std::span<const RecordedSpans> ranks);

  bool ended() const { return ended_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  void append(const std::string& events);
  void end(const std::string& why);

  std::filesystem::path path_;
  std::vector<TracedRank> ranks_;
  std::int64_t most_bytes_;
  std::int64_t origin_ns_;  ///< of rank 0's clock
  std::ofstream file_;
  std::int64_t size_ = 0;  ///< without the bracket at the end
  bool ended_ = false;
};

}  // namespace aha
