#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/core/clock.h"

namespace aha {

/// A stretch of one rank's time.
struct TraceSpan {
  std::string name;   ///< of the phase, or of the collective
  std::string phase;  ///< of a collective: the phase that it was called in; of a phase: empty
  std::int64_t step = 0;
  std::int64_t begin_ns = 0;  ///< by the rank's own clock
  std::int64_t end_ns = 0;
  std::int64_t call = -1;  ///< of a collective: the same number is the same call on every rank
  bool beside = false;     ///< of a collective: the rank went on meanwhile
};

inline std::int64_t nanoseconds(Clock::time_point t) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
}

/// A span with numbers in place of texts, as it is kept and sent.
struct PackedSpan {
  std::uint32_t name = 0;
  std::uint32_t phase = 0;
  std::int64_t step = 0;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::int64_t call = -1;
  std::int64_t beside = 0;
};

/// What one rank did since it was asked last. Memory is bounded: of more than kMost spans the later ones
/// are counted and dropped. Not thread-safe.
class SpanRecorder {
 public:
  static constexpr std::size_t kMost = 65536;  // 56 bytes each

  /// `span`: all but the texts, which are numbered here.
  void add(std::string_view name, std::string_view phase, PackedSpan span);

  /// The spans as a message, which read_spans understands; they are forgotten.
  std::string take();

 private:
  std::uint32_t number_of(std::string_view text);

  std::map<std::string, std::uint32_t, std::less<>> numbers_;
  std::vector<std::string> texts_;
  std::vector<PackedSpan> spans_;
  std::int64_t dropped_ = 0;
};

struct RecordedSpans {
  std::vector<TraceSpan> spans;  ///< in the order in which they ended
  std::int64_t dropped = 0;      ///< that found no room
};
/// InternalError for anything that `take` does not write.
RecordedSpans read_spans(std::string_view message);

}  // namespace aha
